// What all answers of server-sent events have in common, whatever the events are of.
#pragma once

#include "http/types.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace jobrunner::http {

/// So often something is sent, if only a comment.
constexpr std::chrono::seconds heartbeat{15};

/// Where a client goes on: what a browser has seen (Last-Event-ID) goes before the address that it
/// first came with (`after`). Throws failure{invalid}.
std::optional<std::int64_t> event_cursor(const exchange&);

/// The answer whose body is that stream.
response event_stream(body_source events);

/// For a client that has seen everything: 204, which keeps an EventSource from coming again.
response no_more_events();

} // namespace jobrunner::http
