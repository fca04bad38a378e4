// What a start of the wrapper is to do: Slurm can start one job twice, after a slurmctld that was
// killed has lost its newest state for instance, and a job runs once.
#pragma once

#include "core/unique_fd.hpp"
#include "slurm/job_dir.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace jobrunner::slurm {

struct job_turn {
  unique_fd lock;                    // to be held until the job has ended
  std::int64_t attempt = 0;          // to be run now; 0: none
  std::optional<exit_record> before; // else: how the job has ended, if it has run
};

/// Waits while another start of the job lives, then decides: an exit record means that the job has
/// run; a start marker without one, that the attempt before died and the next one is due. What it
/// does is said through `say`. `wait` pauses a moment; false gives up, as when the job is to end.
/// Throws failure.
job_turn take_turn(const std::filesystem::path& job_dir, std::int64_t slurm_id,
                   const std::function<void(const std::string&)>& say,
                   const std::function<bool()>& wait);

} // namespace jobrunner::slurm
