// A job's log as server-sent events, byte for byte, whatever the job wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jobrunner::http {

/// What of `bytes` goes into the next event: whole lines, or a part of one if there is no more; of
/// what is no UTF-8, the bytes up to where it is again. 0: wait for what follows, which `more` may
/// promise: the bytes begin a character.
struct log_piece {
  std::size_t size = 0;
  bool text = true; // UTF-8
};
log_piece next_piece(std::string_view bytes, bool more);

/// The event for a piece; `next` is the offset behind it. Text is a JSON string in an event without
/// a type; other bytes are base64 in an event of the type bytes, in a JSON string too.
std::string log_event(std::string_view piece, bool text, std::uint64_t next);

} // namespace jobrunner::http
