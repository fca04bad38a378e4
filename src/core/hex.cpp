#include "core/hex.hpp"

#include <algorithm>
#include <cctype>

namespace jobrunner {

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const unsigned char b : bytes) {
    text += digits[b >> 4U];
    text += digits[b & 15U];
  }
  return text;
}

std::string to_hex(std::string_view bytes) {
  return to_hex(std::span{reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

} // namespace jobrunner
