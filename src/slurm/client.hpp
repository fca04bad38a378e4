// Slurm by its own commands: sbatch, squeue, sacct, scancel, started as the job user with an
// empty environment but for PATH, HOME and SLURM_CONF. Every call blocks for at most its limit;
// use it where blocking is allowed. Thread-safe.
#pragma once

#include "core/launcher.hpp"
#include "core/types.hpp"
#include "slurm/cluster.hpp"
#include "slurm/report.hpp"
#include "slurm/sbatch_answer.hpp"

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
  std::vector<std::int64_t> after_ok{};  // Slurm's ids of jobs that must have succeeded
  std::vector<std::int64_t> after_any{}; // ... that must have ended
  std::string signal{};                  // "USR1@60": sent to the wrapper so long before the limit
  bool hold = false;
};

/// What `sbatch --test-only` says about a job that Slurm would take.
struct forecast {
  std::optional<timestamp> start;
};

class client {
public:
  /// `bin`: folder of Slurm's commands; `wrapper`: absolute path of jobrunner-job.
  client(launcher& as_job_user, std::filesystem::path bin, std::filesystem::path wrapper,
         std::chrono::seconds limit);

  /// Slurm's id of the new job. Throws unknown_outcome (see there), or failure: invalid (Slurm
  /// refuses it, in its words), unavailable (not reached: certainly not taken), disk_full.
  std::int64_t submit(const submission&);

  /// sbatch's arguments for it, as they are given.
  std::vector<std::string> arguments(const submission&) const;

  /// Submits nothing. Throws failure: invalid (Slurm would refuse it, in its words), unavailable.
  forecast test(const submission&);

  /// Every job of the job user that slurmctld still knows, finished ones too (squeue -t all):
  /// one process. Throws failure{unavailable}: no answer, or an error, is never "no jobs".
  std::vector<report> queue();

  /// The job of that name, if slurmctld knows it; the newest, should there be several.
  /// Throws failure{unavailable}.
  std::optional<report> find(const std::string& uuid);

  /// What Slurm's accounting (sacct) or, where that is disabled, its completion log (sacct -c)
  /// knows of these ids. Ids it does not know are missing; an id may come twice with different
  /// names where Slurm has used it twice. Throws failure{unavailable}.
  std::vector<report> history(std::span<const std::int64_t> ids);

  /// The text file that slurmctld adds a line to for each job that ends (JobCompType=
  /// jobcomp/filetxt), if it keeps one. Throws failure{unavailable}.
  std::optional<std::filesystem::path> completion_log();

  /// Asks Slurm to end the job named jr-<uuid> with this id; fine if it has ended.
  /// Throws failure{unavailable}.
  void cancel(std::int64_t id, const std::string& uuid);

  /// As cancel, for many at once, those that wait before those that run: none of them shall start
  /// because another one has ended. Throws failure{unavailable}.
  void cancel(const std::vector<std::string>& uuids);

  /// As they are. Throw failure{unavailable}.
  std::vector<node> nodes();
  std::vector<partition> partitions();

  /// Sends a signal (as "USR1") to the command of a job that runs; one that does not is ended.
  /// Throws failure{unavailable}.
  void signal(const std::string& uuid, const std::string& name);

  /// Keeps jobs that wait from starting (true), or no longer. Throws failure: unavailable;
  /// conflict: none of them waits, to be held.
  void hold(const std::vector<std::string>& uuids, bool on);

  /// Empties a folder of the job user's, as that user; what cannot be removed stays.
  void empty(const std::filesystem::path& folder);

private:
  using clock = std::chrono::steady_clock;
  finished run(const std::vector<std::string>& argv, clock::time_point deadline, int stdin_fd = -1);
  std::string ask(const std::vector<std::string>& argv, clock::time_point deadline,
                  int stdin_fd = -1);
  std::vector<report> squeue(std::vector<std::string> filter);
  std::vector<report> find_all(const std::vector<std::string>& uuids);
  void change(std::vector<std::string> argv, const std::vector<std::int64_t>& ids);
  std::string command(const char* name) const { return (bin_ / name).string(); }
  clock::time_point deadline() const { return clock::now() + limit_; }
  std::optional<std::filesystem::path> completion_log(clock::time_point until);

  launcher& launcher_;
  std::filesystem::path bin_, wrapper_;
  std::chrono::seconds limit_;
};

} // namespace jobrunner::slurm
