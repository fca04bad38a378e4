// What is asked of Slurm and what it tells, as actors say it to each other.
#pragma once

#include "actors/atoms.hpp"
#include "slurm/client.hpp"
#include "slurm/report.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace jobrunner {

/// One look at Slurm's queue.
struct queue_look {
  std::chrono::steady_clock::time_point began; // jobs accepted later cannot be in it
  std::vector<slurm::report> jobs;
};

/// What the completion log knows of the jobs that the queue no longer shows.
struct recalled {
  std::vector<std::int64_t> asked; // slurm ids
  bool answered = false;           // false: the log could not be read
  std::vector<slurm::report> jobs;
};

/// A job for Slurm.
struct submit_order {
  slurm::submission what;
  std::chrono::steady_clock::time_point not_after; // whoever asked has given up by then
  bool again = false; // Slurm has lost it: where it gives no answer the job is not withdrawn
};

/// Calls to Slurm that may take long; several of these share the work.
using slurm_actor = caf::typed_actor<
    // Slurm's id. invalid, unavailable, disk_full: then the job will never run, unless its wrapper
    // has its start marker.
    caf::replies_to<atom::submit, submit_order>::with<std::int64_t>,
    // Slurm's id, uuid.
    caf::replies_to<atom::cancel, std::int64_t, std::string>::with<bool>,
    // uuids.
    caf::replies_to<atom::cancel, std::vector<std::string>>::with<bool>,
    // Sends a signal to the command of a job that runs; ends one that does not.
    caf::replies_to<atom::signal, std::string, std::string>::with<bool>, // uuid, signal
    // Holds (true) or releases the jobs with these uuids.
    caf::replies_to<atom::hold, std::vector<std::string>, bool>::with<bool>,
    // sbatch --test-only. invalid: Slurm would refuse it; unavailable.
    caf::replies_to<atom::plan, slurm::submission>::with<slurm::forecast>>;

using poller_actor = caf::typed_actor<
    // INTERNAL: the clock; an older one than the last that was set is void.
    caf::reacts_to<atom::tick, std::uint64_t>,
    // From the bell: something has probably changed.
    caf::reacts_to<atom::hint>,
    // Nodes and partitions, at most a second old. unavailable.
    caf::replies_to<atom::get>::with<slurm::cluster>>;

} // namespace jobrunner

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::recalled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::slurm::cluster)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::slurm::forecast)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::slurm::submission)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::submit_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const jobrunner::queue_look>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<std::string>)
