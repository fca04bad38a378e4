#pragma once

#include <string>

namespace jobrunner {

/// A random UUID (RFC 9562, version 4), 36 characters, lower case.
std::string make_uuid();

} // namespace jobrunner
