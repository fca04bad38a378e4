// From what a client asks for to a job that can be submitted: checked, with its folders and its
// specification on disk. Slurm is not asked.
#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

namespace jobrunner {

/// Throws failure: not_found (dataset), invalid (names the field), unavailable (Slurm has not said
/// yet what the node has), disk_full.
job prepare_job(const services& with, const job_request&);

std::filesystem::path job_dir(const services& with, const std::string& uuid);

/// Removes the folders of a job that never ran.
void forget_job(const services& with, const job&);

/// What sbatch gets.
slurm::submission submission_of(const services& with, const job&);

} // namespace jobrunner
