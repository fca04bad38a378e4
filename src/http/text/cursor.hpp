// Where a client wants to go on.
#pragma once

#include <cstdint>
#include <string_view>

namespace jobrunner::http {

/// A whole number from 0, as the parameter or header of that name says it. Throws
/// failure{invalid} that names it.
std::int64_t cursor(const char* name, std::string_view text);

} // namespace jobrunner::http
