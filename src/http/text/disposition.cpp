#include "http/text/disposition.hpp"

#include "core/text.hpp"
#include "http/text/ascii.hpp"

namespace jobrunner::http {

namespace {

// Without what no file name should bring along; valid UTF-8.
std::string cleaned(std::string_view name) {
  std::string clean;
  while (!name.empty()) {
    const auto size = utf8_length(name);
    if (size == 0 || name[0] == '/' || name[0] == '\\')
      clean += '_';
    else if (!is_control(name[0]))
      clean += name.substr(0, size);
    name.remove_prefix(size == 0 ? 1 : size);
  }
  return clean.empty() ? "download" : clean;
}

// Neither quotes nor %, which clients read in different ways (RFC 6266, appendix D).
std::string plain(std::string_view name) {
  std::string ascii;
  while (!name.empty()) {
    const auto size = utf8_length(name);
    ascii += size > 1 || name[0] == '"' || name[0] == '%' ? '_' : name[0];
    name.remove_prefix(size);
  }
  return ascii;
}

std::string percent_encoded(std::string_view name) {
  constexpr std::string_view marks = "!#$&+-.^_`|~"; // attr-char of RFC 8187, 3.2.1
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_alnum(c) || marks.find(c) != std::string_view::npos)
      text += c;
    else
      (text += '%').append({digits[byte >> 4U], digits[byte & 15U]});
  }
  return text;
}

} // namespace

std::string attachment(std::string_view filename) {
  const std::string name = cleaned(filename);
  return "attachment; filename=\"" + plain(name) + "\"; filename*=UTF-8''" + percent_encoded(name);
}

} // namespace jobrunner::http
