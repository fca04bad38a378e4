// Threads that share work out among them, each with a connection of its own.
#pragma once

#include "s3/client.hpp"

#include <cstddef>
#include <functional>
#include <stop_token>

namespace jobrunner::s3 {

/// Does the work of each number below `count`, on at most `threads` threads, the lowest first. The
/// first exception stops the others, and is thrown when they are over; `stop` likewise, as
/// stopped.
using work = std::function<void(client&, std::size_t number, const std::stop_token&)>;
void share_out(const place& at, std::size_t count, unsigned threads, const std::stop_token& stop,
               const work& each);

} // namespace jobrunner::s3
