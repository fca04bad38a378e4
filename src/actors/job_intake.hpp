// From what a client asks for to a job that can be submitted: checked, with its folders and its
// specification on disk. Slurm is not asked.
#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"
#include "slurm/commands.hpp"
#include "slurm/job_dir.hpp"

#include <memory>

namespace jobrunner {

/// What a request names, found and read.
struct job_inputs {
  std::shared_ptr<const dataset> data;
  slurm::command command;
  boost::json::object params;
  job_extras extras; // checked
};

/// Throws failure: not_found (dataset), invalid (names the field).
job_inputs find_inputs(const services& with, const job_request&);

/// The job with a uuid and places of its own, of which none is made yet. Throws failure: invalid
/// (names the field), unavailable (Slurm has not said yet what the node has).
job draft_job(const services& with, const job_request&, const job_inputs&);

/// What its wrapper will read. Throws failure{invalid} that names the parameter.
slurm::spec spec_of(const services& with, const job&, const job_inputs&);

/// Its folders with the specification in them, or nothing. Throws failure.
void make_places(const services& with, const job&, const slurm::spec&);

/// All of these. Throws failure: not_found (dataset), invalid (names the field), unavailable (Slurm
/// has not said yet what the node has), disk_full.
job prepare_job(const services& with, const job_request&);

std::filesystem::path job_dir(const services& with, const std::string& uuid);

/// Removes the folders of a job that never ran.
void forget_job(const services& with, const job&);

/// What sbatch gets.
slurm::submission submission_of(const services& with, const job&);

} // namespace jobrunner
