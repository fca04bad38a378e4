#include "http/text/accept.hpp"

#include "http/text/ascii.hpp"

namespace jobrunner::http {

namespace {

std::string_view take(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto one = trimmed(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return one;
}

/// "0.25" as 250; what is no weight counts as 1.
int weight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1'))
    return 1000;
  int value = text[0] == '1' ? 1000 : 0;
  int place = 100;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!is_digit(c) || place == 0)
      break;
    value += (c - '0') * place;
    place /= 10;
  }
  return std::min(value, 1000);
}

} // namespace

int accepted(std::string_view accept, std::string_view media_type) {
  if (trimmed(accept).empty())
    return 1000;
  const auto group = media_type.substr(0, media_type.find('/'));
  int best = 0;
  int exactness = 0; // of what named it best until now: 3 itself, 2 its group, 1 anything
  while (!accept.empty()) {
    auto one = take(accept, ',');
    const auto range = take(one, ';');
    const auto in_group =
        range.ends_with("/*") && same_word(range.substr(0, range.size() - 2), group);
    const int exact = same_word(range, media_type) ? 3 : in_group ? 2 : range == "*/*" ? 1 : 0;
    int q = 1000;
    while (!one.empty()) {
      auto parameter = take(one, ';');
      const auto name = take(parameter, '=');
      if (same_word(name, "q"))
        q = weight(parameter);
    }
    if (exact > exactness) {
      exactness = exact;
      best = q;
    }
  }
  return best;
}

} // namespace jobrunner::http
