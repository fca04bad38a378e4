// The environment of a job, made from nothing: what Slurm says about the allocation, what the
// server promises, and nothing of the server's own.
#pragma once

#include "slurm/job_dir.hpp"

#include <string>
#include <vector>

namespace jobrunner::slurm {

/// "NAME=value" for each variable of the job. `mine`: the environment Slurm started us with, of
/// which only the names on our list are passed on.
std::vector<std::string> job_environment(const spec&, const std::filesystem::path& home,
                                         const std::string& user, const char* const* mine);

} // namespace jobrunner::slurm
