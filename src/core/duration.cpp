#include "core/duration.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>
#include <vector>

namespace jobrunner {

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max(); // seconds

// Digits only; what does not fit is more than `most` anyway.
std::optional<std::int64_t> number(std::string_view text) {
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits)
    return {};
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc{} ? std::min(value, most + 1) : most + 1;
}

std::optional<std::vector<std::int64_t>> numbers(std::string_view text) {
  std::vector<std::int64_t> all;
  for (;;) {
    const auto colon = text.find(':');
    const auto one = number(text.substr(0, colon));
    if (!one)
      return {};
    all.push_back(*one);
    if (colon == std::string_view::npos)
      return all;
    text.remove_prefix(colon + 1);
  }
}

std::optional<std::int64_t> seconds_of(std::string_view text) {
  constexpr std::array<std::int64_t, 3> units{3600, 60, 1};
  std::int64_t total = 0;
  std::size_t unit = 0; // of the first number; which it is depends on how many there are
  const auto dash = text.find('-');
  if (dash != std::string_view::npos) {
    const auto days = number(text.substr(0, dash));
    if (!days)
      return {};
    total = *days * 86400;
    text.remove_prefix(dash + 1);
  }
  const auto parts = numbers(text);
  if (!parts || parts->size() > units.size())
    return {};
  if (dash == std::string_view::npos && parts->size() < units.size())
    unit = 1; // without days one or two numbers begin with minutes
  for (const std::int64_t part : *parts)
    total += part * units.at(unit++);
  return total;
}

} // namespace

std::int64_t parse_time_limit(std::string_view text) {
  const auto seconds = seconds_of(text);
  if (!seconds)
    throw failure{errc::invalid, "time_limit is " + shown(text) +
                                     "; write it as Slurm does: minutes, HH:MM:SS or "
                                     "D-HH:MM:SS, for example 04:00:00"};
  if (*seconds == 0)
    throw failure{errc::invalid,
                  "time_limit is " + shown(text) + "; it must be at least one second"};
  if (*seconds > most)
    throw failure{errc::invalid,
                  "time_limit is " + shown(text) + "; it must be at most 24855 days"};
  return *seconds;
}

std::string to_time_limit(std::int64_t seconds) {
  std::array<char, 48> text{};
  const auto days = static_cast<long long>(seconds / 86400);
  const auto hours = static_cast<int>(seconds / 3600 % 24);
  const auto minutes = static_cast<int>(seconds / 60 % 60);
  const auto rest = static_cast<int>(seconds % 60);
  const int size =
      days > 0 ? std::snprintf(text.data(), text.size(), "%lld-%02d:%02d:%02d", days, hours,
                               minutes, rest)
               : std::snprintf(text.data(), text.size(), "%02d:%02d:%02d", hours, minutes, rest);
  return {text.data(), static_cast<std::size_t>(size)};
}

} // namespace jobrunner
