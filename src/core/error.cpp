#include "core/error.hpp"

#include <array>
#include <cerrno>
#include <system_error>

namespace jobrunner {

std::string to_string(errc code) {
  constexpr std::array names{
      "none",   "invalid",       "unauthorized", "forbidden",   "not_found", "conflict",
      "gone",   "length_needed", "too_large",    "unsupported", "bad_range", "unprocessable",
      "locked", "too_many",      "unavailable",  "disk_full",   "internal"};
  static_assert(names.size() == static_cast<std::size_t>(errc::internal) + 1);
  return names.at(static_cast<std::size_t>(code));
}

errc errc_named(std::string_view name) {
  auto code = errc::none;
  while (code != errc::internal && to_string(code) != name)
    code = static_cast<errc>(static_cast<int>(code) + 1);
  return code;
}

failure errno_failure(const std::string& doing) {
  const int number = errno;
  const bool full = number == ENOSPC || number == EDQUOT;
  return {full ? errc::disk_full : errc::internal,
          doing + ": " + std::generic_category().message(number)};
}

} // namespace jobrunner
