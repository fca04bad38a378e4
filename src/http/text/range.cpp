#include "http/text/range.hpp"

#include "http/text/ascii.hpp"

#include <charconv>
#include <limits>
#include <optional>

namespace jobrunner::http {

namespace {

// A number too large for any file stays just that.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_digit))
    return {};
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc{} ? value : std::numeric_limits<std::uint64_t>::max();
}

range_answer parse_one(std::string_view text, std::uint64_t size) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos)
    return whole{};
  const auto last = number(text.substr(dash + 1));
  if (dash == 0) { // the last bytes
    if (!last)
      return whole{};
    if (*last == 0)
      return unsatisfiable{};
    if (size == 0) // satisfiable by RFC 9110, 14.1.2, but 206 cannot say "no bytes"
      return whole{};
    return byte_range{size - std::min(*last, size), size - 1};
  }
  const auto first = number(text.substr(0, dash));
  const bool open = dash + 1 == text.size();
  if (!first || (!last && !open) || (last && *last < *first))
    return whole{};
  if (*first >= size)
    return unsatisfiable{};
  return byte_range{*first, open ? size - 1 : std::min(*last, size - 1)};
}

} // namespace

range_answer parse_range(std::string_view header, std::uint64_t size) {
  const auto sign = header.find('=');
  if (sign == std::string_view::npos || !same_word(trimmed(header.substr(0, sign)), "bytes"))
    return whole{};
  auto rest = header.substr(sign + 1);
  std::string_view only;
  while (!rest.empty()) { // RFC 9110, 5.6.1.2: a list may have empty elements
    const auto element = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(element.size() + 1, rest.size()));
    if (trimmed(element).empty())
      continue;
    if (!only.empty())
      return whole{};
    only = trimmed(element);
  }
  return parse_one(only, size);
}

} // namespace jobrunner::http
