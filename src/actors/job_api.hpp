// Jobs and arrays, as their actors' callers see them.
#pragma once

#include "actors/slurm_api.hpp"
#include "core/types.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace jobrunner {

/// POST /jobs. Empty fields take their defaults, cut to what the node has.
struct job_request {
  std::string dataset_sha, command_key, params_json = "{}";
  std::optional<std::int64_t> gpus, cpus, mem_gb, time_limit_s;
  std::string idempotency_key, fingerprint; // with a key: a hash of all that was asked for
  job_extras extras;
  std::string array; // "0-9%2"; empty: one job
  bool hold = false;
  // Of a job that is another one again.
  std::int64_t requeued_from = 0;
  std::string array_uuid, array_spec; // it is a task of that array, or a copy of one
  std::int64_t array_index = 0;
};

/// What would make the same job again, outside of its array. For another run of a task see there.
job_request request_again(const job&);

/// What a submit would do.
struct job_plan {
  std::vector<std::string> argv;        // the command's
  std::vector<std::string> script;      // sbatch's
  std::vector<std::string> environment; // names of the job's variables
  std::vector<std::string> missing;     // why it would fail
  std::optional<timestamp> start;       // Slurm's estimate
  std::int64_t tasks = 1;
};

/// POST /jobs/{id}/cancel
struct cancel_order {
  std::int64_t id = 0;
  std::string signal;           // for the job's command first; empty: none
  std::chrono::seconds grace{}; // from the signal until Slurm ends the job
};

/// Which jobs to list; an empty field does not filter.
struct job_query {
  std::string status, command_key, dataset_sha, experiment_id, name, array;
  std::string label_key, label_value;    // both or neither
  std::optional<timestamp> since, until; // created at or after, and before
  std::string cursor;                    // next_cursor of the page before
  std::int64_t limit = 100;
};

struct job_list {
  std::vector<job> items;  // newest first
  std::string next_cursor; // empty: the end
};

/// GET /arrays/{id}
struct array_query {
  std::string array;
  std::int64_t cursor = -1; // the last index of the page before
  std::int64_t limit = 100;
};

/// An array's tasks, each as the newest job that runs it.
struct array_view {
  std::vector<std::pair<std::string, std::int64_t>> states; // how many tasks are in which
  bool done = true;
  std::vector<job> tasks;                  // by index
  std::optional<std::int64_t> next_cursor; // nothing: the end
};

/// What a wait waits for.
struct event_wait {
  std::int64_t job_id = 0; // 0: all jobs
  std::int64_t after = 0;  // the job's seq; of all jobs the n of an event
  std::chrono::milliseconds patience{};
  bool end_only = false; // of one job: nothing before its end is worth an answer
};

using job_actor = caf::typed_actor<
    // The job, as Slurm has accepted it; the first one's where its idempotency key is known.
    // invalid, not_found, unavailable, too_many, disk_full; with a key also conflict (the first one
    // is under way) and unprocessable (it asked for something else).
    caf::replies_to<atom::submit, job_request>::with<job>,
    // not_found.
    caf::replies_to<atom::get, std::int64_t>::with<job>,
    // The job's seq, or the n of the newest event, as soon as it is above `after`; when the
    // patience is over, `after` again. What happened is on the board or in the events by then.
    // not_found, too_many.
    caf::replies_to<atom::wait, event_wait>::with<std::int64_t>,
    // An array, or one task of it again: all tasks or none. As submit.
    caf::replies_to<atom::array, job_request>::with<std::vector<job>>,
    // Those tasks of the array again that have ended badly. not_found, conflict: none has; as
    // submit.
    caf::replies_to<atom::retry, std::string>::with<std::vector<job>>,
    // What a submit would do. invalid.
    caf::replies_to<atom::plan, job_request>::with<job_plan>,
    // Asks Slurm to end it; the job as it is. not_found, unavailable.
    caf::replies_to<atom::cancel, cancel_order>::with<job>,
    // The same for all tasks of an array; how many had not ended yet. not_found, unavailable.
    caf::replies_to<atom::cancel, std::string>::with<std::int64_t>,
    // Keeps a job that waits from starting (true), or no longer. not_found, conflict, unavailable.
    caf::replies_to<atom::hold, std::int64_t, bool>::with<job>,
    // Forgets a job that is done, and removes its files. not_found, conflict.
    caf::replies_to<atom::remove, std::int64_t>::with<bool>,
    // From the poller. The answer: Slurm ids that the queue should show and does not, to be
    // looked up in the completion log.
    caf::replies_to<atom::seen, std::shared_ptr<const queue_look>>::with<std::vector<std::int64_t>>,
    caf::reacts_to<atom::recall, recalled>,
    // INTERNAL: reads the outputs of a job that is done, again if that failed.
    caf::reacts_to<atom::index, std::int64_t>,
    // INTERNAL: the grace of a cancel is over.
    caf::reacts_to<atom::kill, std::int64_t>,
    // INTERNAL: the patience of a waiter is over.
    caf::reacts_to<atom::expire>>;

using job_list_actor = caf::typed_actor<
    // invalid: the cursor.
    caf::replies_to<atom::list, job_query>::with<job_list>,
    // not_found.
    caf::replies_to<atom::find, array_query>::with<array_view>>;

using remover_actor = caf::typed_actor<
    // Removes what deleted jobs have left.
    caf::reacts_to<atom::tick>>;

} // namespace jobrunner

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::array_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::array_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::cancel_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::event_wait)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::job_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::job_plan)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::job_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::job_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<std::int64_t>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<jobrunner::job>)
