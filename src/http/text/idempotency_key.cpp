#include "http/text/idempotency_key.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "http/text/ascii.hpp"

#include <algorithm>

namespace jobrunner::http {

namespace {

constexpr std::size_t longest = 255;

[[noreturn]] void refuse_key(std::string_view value) {
  throw failure{errc::invalid, "Idempotency-Key is " + shown(value) +
                                   "; it must be 1 to 255 printable ASCII characters, in double "
                                   "quotes or without any, for instance a UUID"};
}

/// What stands between the quotes, where \ protects a quote or itself.
std::string unquoted(std::string_view value) {
  std::string key;
  for (std::size_t i = 1; i < value.size(); ++i) {
    if (value[i] == '"') {
      if (i + 1 != value.size())
        refuse_key(value);
      return key;
    }
    if (value[i] == '\\' && (++i == value.size() || (value[i] != '"' && value[i] != '\\')))
      refuse_key(value);
    key += value[i];
  }
  refuse_key(value);
}

} // namespace

std::string parse_idempotency_key(std::string_view value) {
  const auto text = trimmed(value);
  const bool quoted = text.starts_with('"');
  auto key = quoted ? unquoted(text) : std::string{text};
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  const bool bare_is_clear = quoted || key.find_first_of("\" ,;") == std::string::npos;
  if (key.empty() || key.size() > longest || !std::ranges::all_of(key, printable) || !bare_is_clear)
    refuse_key(value);
  return key;
}

} // namespace jobrunner::http
