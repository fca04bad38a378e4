// Wall-clock times as the API shows them. Timers use steady_clock instead.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace jobrunner {

using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

timestamp now();

/// RFC 3339 in UTC with milliseconds: "2026-11-23T08:15:30.125Z".
std::string to_rfc3339(timestamp);

/// The reverse: "2026-11-23T08:15:30Z", with any fraction and any offset ("+02:00"); or
/// milliseconds since the epoch. Nothing if `text` is neither, or not between 1970 and 9999.
std::optional<timestamp> from_rfc3339(std::string_view text);

/// IMF-fixdate (RFC 9110, 5.6.7): "Mon, 23 Nov 2026 08:15:30 GMT".
std::string to_http_date(std::chrono::sys_seconds);

/// The reverse, for If-Modified-Since and If-Range; the epoch if `text` is no such date.
std::chrono::sys_seconds from_http_date(std::string_view text);

} // namespace jobrunner
