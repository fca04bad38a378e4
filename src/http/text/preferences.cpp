#include "http/text/preferences.hpp"

#include "http/text/ascii.hpp"

#include <charconv>

namespace jobrunner::http {

std::optional<std::int64_t> preferred_wait(std::string_view prefer, std::int64_t most) {
  while (!prefer.empty()) {
    const auto end = std::min(prefer.find_first_of(",;"), prefer.size());
    const auto one = prefer.substr(0, end);
    prefer.remove_prefix(std::min(end + 1, prefer.size()));
    const auto equals = one.find('=');
    if (!same_word(trimmed(one.substr(0, equals)), "wait"))
      continue;
    auto digits = equals == std::string_view::npos ? "" : trimmed(one.substr(equals + 1));
    if (digits.size() >= 2 && digits.front() == '"' && digits.back() == '"')
      digits = digits.substr(1, digits.size() - 2);
    std::int64_t seconds = 0;
    const auto* last = digits.data() + digits.size();
    const auto [at, ec] = std::from_chars(digits.data(), last, seconds);
    if (ec == std::errc::result_out_of_range && std::ranges::all_of(digits, is_digit))
      return most;
    if (ec != std::errc{} || at != last || seconds < 0)
      return std::nullopt;
    return std::min(seconds, most);
  }
  return std::nullopt;
}

} // namespace jobrunner::http
