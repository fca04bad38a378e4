// What a job left in its folder, made readable for the server.
#pragma once

#include <filesystem>

namespace jobrunner::slurm {

/// Gives the group read access to every regular file and folder below `folder` (and to it) that
/// belongs to us, whatever umask or modes the job used. Follows no links, and goes 200 folders
/// deep. What cannot be changed stays as it is.
void share_with_group(const std::filesystem::path& folder);

} // namespace jobrunner::slurm
