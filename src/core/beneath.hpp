// Files that a job or a client named, opened without leaving the folder they belong to.
#pragma once

#include "core/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace jobrunner {

/// Opens the regular file `relative` below the folder `root` for reading.
/// No part of `relative` may be a link, absolute or "..": openat2(2) with RESOLVE_BENEATH and
/// RESOLVE_NO_SYMLINKS, and where the kernel or a seccomp filter has none (ENOSYS, EPERM) a walk
/// with O_NOFOLLOW. Never blocks on a FIFO. Throws failure: invalid (climbs out, or malformed),
/// not_found (no such file, or a link, folder, FIFO, device, socket).
unique_fd open_beneath(const std::filesystem::path& root, std::string_view relative);

/// The walk alone, as used without openat2; apart for tests.
unique_fd walk_beneath(int root, std::string_view relative);

} // namespace jobrunner
