// A file that somebody else still writes to, and may do so with bad intent: what is there, found
// with bounded memory and time. Nothing here trusts a size for longer than one call.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace jobrunner {

/// As much of the file from `offset` as there is and fits; the bytes read. Throws
/// failure{internal}.
std::size_t read_at(int file, std::span<char> into, std::uint64_t offset);

/// Where the last `lines` lines of the first `size` bytes begin. Looks at the last `most` bytes at
/// most: where the lines are not within them, that is where they begin.
std::uint64_t tail_start(int file, std::uint64_t size, std::uint64_t lines, std::uint64_t most);

/// Where the hole that `offset` lies in ends; `offset` itself if there are bytes.
std::uint64_t hole_end(int file, std::uint64_t offset, std::uint64_t size);

/// A strong entity tag, with its quotes, for a file that only grows: it names the first `size`
/// bytes by inode, size and a hash of their end, and the moment of the last change.
std::string growing_tag(int file, std::uint64_t size);

/// Whether the bytes that such a tag named are still there, before others perhaps.
bool still_begins_with(int file, std::uint64_t size, std::string_view tag);

} // namespace jobrunner
