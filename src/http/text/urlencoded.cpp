#include "http/text/urlencoded.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "http/text/ascii.hpp"
#include "http/text/limits.hpp"

namespace jobrunner::http {

namespace {

std::string decode_field(std::string_view raw) {
  // A byte takes three at most, so nothing longer can fit: spare the copy.
  if (raw.size() > 3 * max_field_bytes)
    throw failure{errc::invalid, "the field " + shown(raw) + " is longer than 64 KiB"};
  std::string text{raw};
  for (char& c : text)
    if (c == '+')
      c = ' ';
  text = percent_decode(text);
  if (text.size() > max_field_bytes)
    throw failure{errc::invalid, "the field " + shown(text) + " is longer than 64 KiB"};
  if (!is_utf8(text))
    throw failure{errc::invalid, "the field " + shown(text) + " is not valid UTF-8"};
  return text;
}

} // namespace

std::string percent_decode(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      throw failure{errc::invalid, shown(text.substr(i, 3)) +
                                       " is no percent-encoding; a % takes two hexadecimal "
                                       "digits, and a % itself is written %25"};
    if (high == 0 && low == 0)
      throw failure{errc::invalid, "%00 is not allowed: no value here can hold a zero byte"};
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

pairs parse_urlencoded(std::string_view text) {
  pairs all;
  while (!text.empty()) {
    const auto field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    if (field.empty())
      continue;
    if (all.size() == max_fields)
      throw failure{errc::invalid, "more than 256 fields"};
    const auto sign = field.find('=');
    std::string value;
    if (sign != std::string_view::npos)
      value = decode_field(field.substr(sign + 1));
    all.emplace_back(decode_field(field.substr(0, sign)), std::move(value));
  }
  return all;
}

} // namespace jobrunner::http
