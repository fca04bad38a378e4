#include "core/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
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

/// That many digits from there on; -1 if they are not all digits.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9')
      return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// "Z", "+02:00" or "-11:30"
std::optional<std::chrono::minutes> offset_of(std::string_view text) {
  if (text == "Z" || text == "z")
    return std::chrono::minutes{0};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
    return std::nullopt;
  const auto hours = digits(text, 1, 2), minutes = digits(text, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
    return std::nullopt;
  const auto offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  return text[0] == '-' ? -offset : offset;
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

std::optional<timestamp> from_rfc3339(std::string_view text) {
  constexpr std::int64_t end_of_9999 = 253'402'300'799'999;
  std::int64_t ms = 0;
  const auto* end = text.data() + text.size();
  if (const auto [at, ec] = std::from_chars(text.data(), end, ms); ec == std::errc{} && at == end)
    return ms >= 0 && ms <= end_of_9999 ? std::optional{timestamp{std::chrono::milliseconds{ms}}}
                                        : std::nullopt;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2),
             hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (std::min({year, month, day, hour, minute, second}) < 0 || !date.ok() || hour > 23 ||
      minute > 59 || second > 60)
    return std::nullopt;
  auto rest = text.substr(19);
  std::int64_t fraction = 0; // in milliseconds; finer ones are cut
  if (rest.front() == '.') {
    const auto size = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    for (std::size_t i = 1; i <= 3; ++i)
      fraction = fraction * 10 + (i < size ? rest[i] - '0' : 0);
    if (size == 1)
      return std::nullopt;
    rest.remove_prefix(size);
  }
  const auto offset = offset_of(rest);
  if (!offset)
    return std::nullopt;
  const timestamp t = std::chrono::sys_days{date} + std::chrono::hours{hour} +
                      std::chrono::minutes{minute} + std::chrono::seconds{second} - *offset +
                      std::chrono::milliseconds{fraction};
  return t >= timestamp{} && t.time_since_epoch().count() <= end_of_9999 ? std::optional{t}
                                                                         : std::nullopt;
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
