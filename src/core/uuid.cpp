#include "core/uuid.hpp"

#include "core/error.hpp"
#include "core/hex.hpp"

#include <array>
#include <sys/random.h>

namespace jobrunner {

std::string make_uuid() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw errno_failure("getrandom");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0fU) | 0x40U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3fU) | 0x80U);
  auto text = to_hex(bytes);
  for (const std::size_t at : {20U, 16U, 12U, 8U})
    text.insert(at, 1, '-');
  return text;
}

} // namespace jobrunner
