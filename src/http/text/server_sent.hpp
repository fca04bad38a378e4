// Server-sent events (HTML, 9.2): what a browser's EventSource reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace jobrunner::http {

/// One event. `type` may be empty ("message"); `data` has no line breaks, as compact JSON has none.
/// A client that comes again says the last `id` that it has seen, in Last-Event-ID.
std::string server_sent(std::int64_t id, std::string_view type, std::string_view data);

/// How a stream begins: when to come again, and with which id if nothing is sent until then.
std::string server_sent_start(std::int64_t id);

/// Nothing, so that nobody in between takes the connection for dead.
constexpr std::string_view server_sent_heartbeat = ":\n\n";
constexpr std::chrono::seconds server_sent_pause{15}; // before the next one

} // namespace jobrunner::http
