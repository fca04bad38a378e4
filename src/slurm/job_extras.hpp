// What a client may add to a job, checked and in one form: name, labels, variables, warning signal.
// Pure.
#pragma once

#include "core/types.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::slurm {

/// The same with its JSON compact and its signal as sbatch takes it. Throws failure{invalid} that
/// names the field, its value and what would be right. The webhook's URL is not looked at.
job_extras checked(job_extras);

/// Its variables as "NAME=value". `e` has been checked.
std::vector<std::string> variables_of(const job_extras& e);

/// A signal that the wrapper passes on, by name ("USR1", "SIGUSR1", in any case) or number, as
/// "USR1"; KILL is none of them but known. Throws failure{invalid} that names `field`.
std::string signal_name(std::string_view text, const std::string& field);

} // namespace jobrunner::slurm
