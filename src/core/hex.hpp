#pragma once

#include <span>
#include <string>
#include <string_view>

namespace jobrunner {

std::string to_hex(std::span<const unsigned char> bytes); // lower case
std::string to_hex(std::string_view bytes);

/// Whether `text` is a SHA-256 as people write it: 64 hexadecimal digits.
bool is_sha256(std::string_view text);

} // namespace jobrunner
