// Whether Slurm's nodes take jobs. Pure.
#pragma once

#include <string>
#include <string_view>

namespace jobrunner::slurm {

/// Whether a node in `state`, as scontrol prints it ("IDLE", "MIXED+PLANNED", "DOWN*",
/// "IDLE+DRAIN"), starts jobs. States as in sinfo(1), "NODE STATE CODES".
bool takes_jobs(std::string_view state);

/// Of `scontrol show node -o`: why no node starts jobs, in words; empty if one does.
std::string trouble_of_nodes(std::string_view nodes);

} // namespace jobrunner::slurm
