// The last lines of a job's log, for people who ask why it failed.
#pragma once

#include <filesystem>
#include <string>

namespace jobrunner::slurm {

/// At most 20 lines and 4 KiB, in valid UTF-8 whatever the job wrote; nothing if there is no log,
/// or no regular file in its place. `path` is below `root`.
std::string log_tail(const std::filesystem::path& root, const std::string& path);

} // namespace jobrunner::slurm
