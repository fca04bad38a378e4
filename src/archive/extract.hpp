// An archive of a client's, unpacked into a folder of ours. Runs only inside jobrunner-extract.
#pragma once

#include "archive/budget.hpp"
#include "archive/name.hpp"
#include "core/worker.hpp"

namespace jobrunner::archive {

/// Sets the locale of the process to the one in which libarchive reads the names of such an archive
/// as they are. Throws failure{internal} if the system lacks it.
void set_locale(kind what);

/// Extracts the tar or zip that `fd` holds into the empty folder `folder`; both stay the caller's.
/// A tar may come from a pipe, and is read to the end of it; a zip must be a regular file. Only
/// files (0444, or 0555 where any execute bit was set) and folders (0555 when done) are made;
/// anything else in the archive refuses it as a whole. What was written by then stays. The list of
/// the files and their hashes (core/file_list.hpp) is appended to `list`, unless that is -1.
/// Call set_locale() before. Files are written on the thread of `beside`, which is idle. Throws
/// failure: unprocessable (refused or broken), disk_full, internal.
totals extract(int fd, kind what, int folder, int list, const limits& most, worker& beside);

} // namespace jobrunner::archive
