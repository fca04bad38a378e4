// What a job left in its folder: made readable for the server, or put aside for another attempt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace jobrunner::slurm {

/// Gives the group read access to every regular file and folder below `folder` (and to it) that
/// belongs to us, whatever umask or modes the job used. Follows no links, and goes 200 folders
/// deep. What cannot be changed stays as it is.
void share_with_group(const std::filesystem::path& folder);

/// Moves what `attempt`, which has died, left in `folder` to the folder attempt-<n> in it, so that
/// the next one begins with an empty RESULT_DIR. False if something could not be moved.
bool set_aside(const std::filesystem::path& folder, std::int64_t attempt);

/// Whether `path`, below RESULT_DIR, is what an attempt before `attempt` left.
bool is_set_aside(std::string_view path, std::int64_t attempt);

} // namespace jobrunner::slurm
