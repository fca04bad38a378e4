#include "archive/utf8.hpp"

#include <array>

namespace jobrunner::archive {

std::size_t printable_prefix(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80)
    return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  if (length == 0 || first > 0xf4)
    return 0;
  unsigned code = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U)
      return 0;
    code = code << 6U | (byte(i) & 0x3fU);
  }
  constexpr std::array<unsigned, 5> smallest{0, 0, 0xa0, 0x800, 0x10000}; // below U+00A0: C1
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < smallest.at(length) || surrogate || code > 0x10ffff ? 0 : length;
}

} // namespace jobrunner::archive
