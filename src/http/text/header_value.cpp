#include "http/text/header_value.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "http/text/ascii.hpp"

namespace jobrunner::http {

namespace {

// Reads on in `rest`, which begins behind the opening quote, to behind the closing one.
std::optional<std::string> take_quoted(std::string_view& rest) {
  std::string text;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char next = i + 1 < rest.size() ? rest[i + 1] : '\0';
    if (rest[i] == '\\' && (next == '"' || next == '\\')) {
      text += next;
      ++i;
    } else if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return text;
    } else {
      text += rest[i];
    }
  }
  return {};
}

[[noreturn]] void refuse(std::string_view text, const char* what) {
  throw failure{errc::invalid, "the header value " + shown(text) + " " + what};
}

} // namespace

std::optional<std::string> header_value::param(std::string_view name) const {
  for (const auto& [key, text] : params)
    if (key == name)
      return text;
  return {};
}

header_value parse_header_value(std::string_view text) {
  auto rest = text;
  header_value all{lower(trimmed(rest.substr(0, rest.find(';')))), {}};
  rest.remove_prefix(std::min(rest.find(';'), rest.size()));
  while (!rest.empty()) { // it begins with ';'
    rest = trimmed(rest.substr(1));
    if (rest.empty() || rest[0] == ';')
      continue;
    const auto sign = rest.find('=');
    const auto name = rest.substr(0, sign);
    if (sign == std::string_view::npos || !is_token(name))
      refuse(text, "has a parameter that is not name=value");
    rest.remove_prefix(sign + 1);
    std::string value;
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      auto quoted = take_quoted(rest);
      if (!quoted)
        refuse(text, "has a quote that is never closed");
      value = std::move(*quoted);
      rest = trimmed(rest);
      if (!rest.empty() && rest[0] != ';')
        refuse(text, "has text behind a closing quote");
    } else {
      const auto plain = trimmed(rest.substr(0, rest.find(';')));
      if (plain.empty() || plain.find_first_of("\" \t") != std::string_view::npos)
        refuse(text, "has a parameter whose value must be quoted");
      value = plain;
      rest.remove_prefix(std::min(rest.find(';'), rest.size()));
    }
    if (all.param(lower(name)))
      refuse(text, "gives a parameter twice");
    all.params.emplace_back(lower(name), std::move(value));
  }
  return all;
}

} // namespace jobrunner::http
