// For tests of what is refused: the sentence that a failure says.
#pragma once

#include "core/error.hpp"

#include <gtest/gtest.h>
#include <string>

namespace jobrunner {

/// What `call` says when it throws failure of that kind; the test fails if it does not.
template <class F>
std::string refusal(F call, errc code = errc::invalid) {
  try {
    call();
  } catch (const failure& f) {
    EXPECT_EQ(to_string(f.code()), to_string(code)) << f.what();
    return f.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

inline bool says(const std::string& sentence, const std::string& part) {
  return sentence.find(part) != std::string::npos;
}

} // namespace jobrunner
