// As much as a socket takes now: the steps of a transfer, which run where blocking on a disk is
// allowed, and never wait for a client.
#pragma once

#include "core/file_stamp.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace jobrunner::http {

constexpr std::size_t slice = 4 << 20; // of one step, so that transfers share the pool

struct sent {
  std::uint64_t bytes = 0;
  int error = 0; // errno; EAGAIN: the client's window is full
};

/// Bytes from memory; more are to follow at once.
sent send_bytes(int socket, std::string_view bytes);

/// At most a slice of the `left` bytes of `file` from `first` on, by sendfile(2). Throws
/// boost::system::system_error where the file has become shorter. With `was` also where it is not
/// any more what it was: the last bytes of `left` go only after they were read and the file was
/// looked at, so that a client that has got them all has got them right.
sent send_data(int socket, int file, std::uint64_t first, std::uint64_t left,
               const std::optional<file_stamp>& was);

/// What send_data throws.
[[noreturn]] void cut_short(const char* why);

} // namespace jobrunner::http
