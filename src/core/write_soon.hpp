// Disks that are busy from the beginning.
#pragma once

#include <cstdint>

namespace jobrunner {

/// Has the kernel begin to write these bytes of a file, so that a later sync() finds less to do. A
/// hint: it promises nothing, and reports nothing.
void write_soon(int fd, std::uint64_t first, std::uint64_t size) noexcept;

} // namespace jobrunner
