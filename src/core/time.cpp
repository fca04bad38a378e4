#include "core/time.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace jobrunner {

namespace {

std::tm utc(std::time_t t) {
  std::tm parts{};
  gmtime_r(&t, &parts);
  return parts;
}

std::string format(const char* how, std::time_t t) {
  const auto parts = utc(t);
  std::array<char, 64> text{};
  const auto size = std::strftime(text.data(), text.size(), how, &parts);
  return {text.data(), size};
}

} // namespace

timestamp now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string to_rfc3339(timestamp t) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(t);
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ",
                static_cast<int>((t - seconds).count()));
  return format("%Y-%m-%dT%H:%M:%S", seconds.time_since_epoch().count()) + fraction.data();
}

std::string to_http_date(std::chrono::sys_seconds t) {
  return format("%a, %d %b %Y %H:%M:%S GMT", t.time_since_epoch().count());
}

std::chrono::sys_seconds from_http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy{text};
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end || *end)
    return {};
  return std::chrono::sys_seconds{std::chrono::seconds{timegm(&parts)}};
}

} // namespace jobrunner
