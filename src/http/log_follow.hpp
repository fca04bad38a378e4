// A job's log as it grows, to a client that stays until the job has ended.
#pragma once

#include "http/log_watch.hpp"
#include "http/types.hpp"

namespace jobrunner::http {

struct log_following {
  std::int64_t job_id = 0;
  std::string path;       // below the root, for when the log is not there yet
  log_watch::handle file; // null: not yet
  std::uint64_t offset = 0;
  std::uint64_t end = 0; // goes no further
  bool events = false;   // server-sent events instead of bytes
};

/// Sends what is there and what is written, until the job has ended and its last line is there.
/// Takes a piece when the client has taken the one before. Throws, so that the client sees a body
/// that was cut, when the log becomes shorter than what was sent.
asio::awaitable<void> follow_log(const context& with, log_following what, body_sink& sink);

/// Whether nothing will be written any more to a log of `size` bytes. Blocks.
bool log_is_whole(const context& with, std::int64_t job_id, int file, std::uint64_t size);

} // namespace jobrunner::http
