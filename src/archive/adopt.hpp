// Files that a job left, as the files of a dataset. They are the job user's, who could go on
// changing them through any name they have, so each becomes a file of the server's: by reflink
// where the file system can (btrfs, XFS), which copies nothing, and by copy_file_range(2)
// elsewhere, which copies inside the kernel.
#pragma once

#include "archive/ingest.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace jobrunner::archive {

/// `paths` lie below `from` and are sorted; they become <staging>/data and <staging>/files. The
/// sha256 is that of the list, as for the files of an imported prefix. Throws failure:
/// unprocessable (a name that no dataset may have, a file that is none any more), disk_full,
/// internal.
ingested adopt(const std::filesystem::path& from, const std::vector<std::string>& paths,
               const std::filesystem::path& staging);

} // namespace jobrunner::archive
