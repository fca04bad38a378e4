#pragma once

#include <string_view>

namespace jobrunner {

/// Whether what somebody sent is the secret. How long that takes tells of `given` alone, so neither
/// the length of the secret nor what they have in common shows.
bool equal_secrets(std::string_view given, std::string_view kept);

} // namespace jobrunner
