// What Slurm's job states mean. Names as in squeue(1), "JOB STATE CODES".
#pragma once

#include <string>
#include <string_view>

namespace jobrunner::slurm {

/// Slurm's word in its long form: "CANCELLED by 0" and "CANCELLED+" as CANCELLED, "CD" as
/// COMPLETED. What we do not know passes through unchanged (upper-case letters, digits and '_'
/// only).
std::string long_state(std::string_view text);

/// Whether Slurm will change nothing about a job in `state` (long form) any more.
bool is_final(std::string_view state);

/// In words, why a job in `state` ended so or still waits: from Slurm's reason code and the exit
/// status. Empty where there is nothing to explain (COMPLETED, RUNNING).
std::string explain(std::string_view state, std::string_view reason, int exit_code, int signal);

} // namespace jobrunner::slurm
