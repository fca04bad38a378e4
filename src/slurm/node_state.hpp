// Whether one of Slurm's nodes takes jobs. Pure.
#pragma once

#include <string_view>

namespace jobrunner::slurm {

/// Whether a node in `state`, as scontrol prints it ("IDLE", "MIXED+PLANNED", "DOWN*",
/// "IDLE+DRAIN"), starts jobs. States as in sinfo(1), "NODE STATE CODES".
bool takes_jobs(std::string_view state);

} // namespace jobrunner::slurm
