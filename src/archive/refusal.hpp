// The sentence with which an archive is refused. For this folder alone.
#pragma once

#include "archive/entry_name.hpp"
#include "core/error.hpp"

#include <string>
#include <string_view>

namespace jobrunner::archive {

[[noreturn]] inline void refuse(const std::string& why) {
  throw failure{errc::unprocessable, "The archive was refused: " + why};
}

/// For the sake of one entry.
[[noreturn]] inline void refuse(std::string_view entry, const std::string& why) {
  refuse("entry " + shown(entry) + " " + why);
}

} // namespace jobrunner::archive
