#include "core/text.hpp"

namespace jobrunner {

namespace {

unsigned byte(char c) {
  return static_cast<unsigned char>(c);
}

} // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty())
    return 0;
  const unsigned first = byte(text[0]);
  if (first < 0x80)
    return 1;
  // The second byte's range is narrower where a shorter form, a surrogate or more than U+10FFFF
  // would otherwise be possible (RFC 3629, section 4).
  std::size_t size = 0;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    size = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    size = 3;
    low = first == 0xe0 ? 0xa0 : low;
    high = first == 0xed ? 0x9f : high;
  } else if (first >= 0xf0 && first <= 0xf4) {
    size = 4;
    low = first == 0xf0 ? 0x90 : low;
    high = first == 0xf4 ? 0x8f : high;
  }
  if (size == 0 || text.size() < size || byte(text[1]) < low || byte(text[1]) > high)
    return 0;
  for (std::size_t i = 2; i < size; ++i)
    if ((byte(text[i]) & 0xc0U) != 0x80)
      return 0;
  return size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = utf8_length(text);
    if (size == 0)
      return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string lower_ascii(std::string_view text) {
  std::string made{text};
  for (char& c : made)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return made;
}

std::string shown(std::string_view value) {
  constexpr std::size_t most = 100; // characters, not bytes
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "\"";
  for (std::size_t shown = 0; !value.empty(); ++shown) {
    if (shown == most) {
      text += "...";
      break;
    }
    const std::size_t size = utf8_length(value);
    const unsigned first = byte(value[0]);
    // C2 80 to C2 9F are the control characters of Latin-1; a terminal may obey them.
    const bool control =
        first < 0x20 || first == 0x7f || (size == 2 && first == 0xc2 && byte(value[1]) < 0xa0);
    const std::size_t taken = size == 0 ? 1 : size;
    if (size == 0 || control)
      for (const char c : value.substr(0, taken)) {
        text += "\\x";
        text += digits[byte(c) >> 4U];
        text += digits[byte(c) & 15U];
      }
    else
      text += value.substr(0, taken);
    value.remove_prefix(taken);
  }
  return text + "\"";
}

} // namespace jobrunner
