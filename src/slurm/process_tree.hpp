// The processes below one, as proc_pid_task(5) `children` lists them.
#pragma once

#include <sys/types.h>
#include <vector>

namespace jobrunner::slurm {

/// Of all its threads; none where the process is gone.
std::vector<pid_t> children_of(pid_t parent);

/// Its children, theirs and so on. What is started or ends meanwhile may be missing.
std::vector<pid_t> descendants_of(pid_t ancestor);

} // namespace jobrunner::slurm
