// slurmctld's log of finished jobs (JobCompType=jobcomp/filetxt), where there is no accounting
// database.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace jobrunner::slurm {

/// The lines of the log about these ids that are about a job named jr-<uuid> and whole, of the
/// log's last 256 MiB, and of <log>.1, which was the log before (config/turn-completion-log.sh),
/// where there is one. A line may come twice while they are turned. Throws failure{unavailable} if
/// it cannot be read.
std::string lines_about(const std::filesystem::path& log, std::span<const std::int64_t> ids);

} // namespace jobrunner::slurm
