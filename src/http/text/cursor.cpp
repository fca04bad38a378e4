#include "http/text/cursor.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <charconv>
#include <string>

namespace jobrunner::http {

std::int64_t cursor(const char* name, std::string_view text) {
  std::int64_t n = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, n);
  if (ec != std::errc{} || at != end || n < 0)
    throw failure(errc::invalid, std::string{name} + " is " + shown(text) +
                                     "; it must be the id of an event, a whole number");
  return n;
}

} // namespace jobrunner::http
