// Slurm by its own commands: sbatch, squeue, sacct, scancel, started as the job user with an
// empty environment but for PATH, HOME and SLURM_CONF. Every call blocks for at most its limit;
// use it where blocking is allowed. Thread-safe.
#pragma once

#include "core/launcher.hpp"
#include "core/types.hpp"
#include "slurm/report.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

namespace jobrunner::slurm {

/// What to run; everything in it is ours, never a client's text.
struct submission {
  std::string uuid;               // becomes the name jr-<uuid>
  std::filesystem::path job_dir;  // absolute; holds spec.json, the wrapper's only argument
  std::filesystem::path log_path; // absolute; receives stdout and stderr, opened for appending
  resources wanted;
};

/// sbatch did not say whether it took the job: the call timed out or was cut. The job may run.
class unknown_outcome : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// What the node can give a job, from slurmctld.
struct capacity {
  std::int64_t cpus = 0, mem_mb = 0, gpus = 0;
  std::int64_t max_time_s = 0; // of the default partition; 0: no limit
};

class client {
public:
  /// `bin`: folder of Slurm's commands; `wrapper`: absolute path of jobrunner-job.
  client(launcher& as_job_user, std::filesystem::path bin, std::filesystem::path wrapper,
         std::chrono::seconds limit);

  /// Slurm's id of the new job. Throws unknown_outcome (see there), or failure: invalid (Slurm
  /// refuses it, in its words), unavailable (not reached: certainly not taken), disk_full.
  std::int64_t submit(const submission&);

  /// Every job that slurmctld still knows, finished ones too (squeue -t all): one process.
  /// Throws failure{unavailable}: no answer, or an error, is never "no jobs".
  std::vector<report> queue();

  /// The job of that name, if slurmctld knows it. Throws failure{unavailable}.
  std::optional<report> find(const std::string& uuid);

  /// What the completion log knows of these ids (sacct -c): one process. Ids it does not know
  /// are missing. Throws failure{unavailable}.
  std::vector<report> history(std::span<const std::int64_t> ids);

  /// Asks Slurm to end the job named jr-<uuid> with this id; fine if it has ended.
  /// Throws failure{unavailable}.
  void cancel(std::int64_t id, const std::string& uuid);

  /// Throws failure{unavailable}.
  capacity ask_capacity();

private:
  finished run(std::vector<std::string> argv);
  launcher& launcher_;
  std::filesystem::path bin_, wrapper_;
  std::chrono::seconds limit_;
};

} // namespace jobrunner::slurm
