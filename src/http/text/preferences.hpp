// What a client would like (RFC 7240).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace jobrunner::http {

/// Seconds of the first `wait` among the preferences of a Prefer header, at most `most`. None if
/// there is none or its value is no whole number: preferences that make no sense are ignored.
std::optional<std::int64_t> preferred_wait(std::string_view prefer, std::int64_t most);

} // namespace jobrunner::http
