// The actors as their callers see them: one handle and one comment per message.
// Of src/actors, src/http includes this, ask.hpp and board.hpp alone.
#pragma once

#include "core/problem_list.hpp"
#include "core/sha256.hpp"
#include "core/transfer.hpp"
#include "core/types.hpp"
#include "slurm/client.hpp"
#include "slurm/report.hpp"

#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

CAF_BEGIN_TYPE_ID_BLOCK(jobrunner, caf::first_custom_type_id)
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, abort, "abort")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, advance, "advance")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, array, "array")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, begin, "begin")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, cancel, "cancel")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, check, "check")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, commit, "commit")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, discard, "discard")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, edit, "edit")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, expire, "expire")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, find, "find")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, get, "get")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, hint, "hint")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, hold, "hold")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, import, "import")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, index, "index")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, kill, "kill")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, list, "list")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, lock, "lock")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, plan, "plan")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, recall, "recall")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, remove, "remove")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, retry, "retry")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, seen, "seen")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, signal, "signal")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, submit, "submit")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, tick, "tick")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, wait, "wait")
CAF_END_TYPE_ID_BLOCK(jobrunner)

namespace jobrunner {

/// An upload that is complete and durable in its staging folder, waiting for its name.
struct arrival {
  std::string staging;  // as answered to `begin`
  std::string sha256;   // of all bytes received
  std::string filename; // safe; the file in staging/data/, unless extracted
  bool extracted = false;
  std::int64_t bytes = 0;
};

/// What people say about a dataset; what is left out stays as it is.
struct dataset_edit {
  std::optional<std::vector<std::string>> tags; // without commas
  std::optional<std::string> note;
  std::optional<bool> pinned;
};

/// What hashing a dataset's files again has shown.
struct dataset_check {
  std::string sha256;
  timestamp created_at{}; // of the dataset that was looked at
  timestamp began{};
  std::string damage; // in words; empty: they are as they were
};

using dataset_actor = caf::typed_actor<
    // A new staging folder, for an upload of about so many bytes (0: not known).
    // too_many, disk_full.
    caf::replies_to<atom::begin, std::uint64_t>::with<std::string>,
    // Makes it a dataset; the one that is there already if the content is known.
    caf::replies_to<atom::commit, arrival>::with<dataset>,
    // The upload of that staging folder is over; what is left of it may go.
    caf::reacts_to<atom::abort, std::string>,
    // By sha256; the dataset as it is then. not_found.
    caf::replies_to<atom::edit, std::string, dataset_edit>::with<dataset>,
    // By sha256; the dataset as it was. not_found, conflict (a job needs it).
    caf::replies_to<atom::remove, std::string>::with<dataset>,
    // From the scrubber.
    caf::reacts_to<atom::check, dataset_check>,
    // INTERNAL: the clock.
    caf::reacts_to<atom::tick>>;

using scrubber_actor = caf::typed_actor<
    // By sha256; before all others.
    caf::reacts_to<atom::check, std::string>,
    // INTERNAL: the next step.
    caf::reacts_to<atom::tick>>;

/// Removes folders that nobody sees any more, which may take minutes.
using cleaner_actor = caf::typed_actor<caf::reacts_to<atom::discard, std::string>>;

/// Who may append to a resumable upload, until it says how far it came.
struct upload_lease {
  upload now;
  std::filesystem::path file;
  std::shared_ptr<running_hash> hash; // of the bytes before now.offset if at == now.offset
};

using upload_actor = caf::typed_actor<
    // A new one. disk_full, too_many; for a final one also invalid, conflict (parts not complete).
    caf::replies_to<atom::begin, upload>::with<upload>,
    // not_found, gone.
    caf::replies_to<atom::get, std::string>::with<upload>,
    // The same once it is neither receiving nor processing, or the patience is over.
    caf::replies_to<atom::wait, std::string, std::chrono::milliseconds>::with<upload>,
    // To append at that offset. not_found, gone, conflict (another offset, or complete),
    // forbidden (a final one), locked, unavailable (too many at once).
    caf::replies_to<atom::lock, std::string, std::uint64_t>::with<upload_lease>,
    // From whoever has the lease: so much is on the disk by now.
    caf::reacts_to<atom::advance, std::string, std::uint64_t>,
    // Likewise, and the lease is over.
    caf::replies_to<atom::commit, std::string, std::uint64_t>::with<upload>,
    // Ends it; its bytes go. not_found, gone, locked, conflict (being processed).
    caf::replies_to<atom::remove, std::string>::with<upload>,
    // INTERNAL: the clock.
    caf::reacts_to<atom::tick>,
    // INTERNAL: the patience of one waiter is over.
    caf::reacts_to<atom::expire, std::uint64_t>>;

/// A resumable upload whose bytes have all come.
struct upload_whole {
  upload now;
  std::vector<std::filesystem::path> files; // its bytes, one after the other
  std::string sha256;                       // of them; empty: not known
};

/// Makes a dataset of one, and ends.
using finisher_actor = caf::typed_actor<
    // invalid (another sha256), unprocessable, disk_full, too_many.
    caf::replies_to<atom::commit, upload_whole>::with<dataset>>;

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

/// Which events to read.
struct event_query {
  std::int64_t job_id = 0; // 0: of all jobs
  std::int64_t after = 0;  // as in event_wait
  std::int64_t limit = 100;
};

struct event_page {
  std::vector<job_event> items; // oldest first
  std::int64_t newest = 0;      // the job's seq; of all jobs the newest n
  bool over = false;            // of a job: nothing will follow these
};

using event_actor = caf::typed_actor<
    // A job of before there were events has one, of its present state. not_found.
    caf::replies_to<atom::list, event_query>::with<event_page>>;

/// How far the events of a job have come to its webhook.
struct webhook_view {
  std::string state =
      "pending"; // or delivered (all there are), stopped (by a 410), failed (given up)
  std::int64_t delivered_seq = 0;    // of the last event that was taken
  std::int64_t tries = 0;            // of the next one, all in vain
  std::optional<timestamp> next_try; // of it
  std::string error;                 // of its last try, in words
};

using webhook_actor = caf::typed_actor<
    // From the registry: the job has an event more.
    caf::reacts_to<atom::hint, std::int64_t>,
    // Of a job that has a webhook_url.
    caf::replies_to<atom::get, std::int64_t>::with<webhook_view>,
    // What receivers check signatures with, "whsec_...".
    caf::replies_to<atom::get>::with<std::string>,
    // INTERNAL: the clock.
    caf::reacts_to<atom::tick>>;

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

/// POST /outputs/index/{job_id}
struct index_result {
  std::string experiment_id;
  std::int64_t count = 0;
};

/// Hashes outputs in the background.
using hasher_actor = caf::typed_actor<
    // From the indexer: there are more.
    caf::reacts_to<atom::hint>,
    // INTERNAL: the next step.
    caf::reacts_to<atom::tick>>;

using indexer_actor = caf::typed_actor<
    // Reads RESULT_DIR and replaces the job's outputs, at once for all readers.
    caf::replies_to<atom::index, job>::with<index_result>>;

/// Which outputs to list; an empty field does not filter.
struct output_query {
  std::optional<std::int64_t> job_id;
  std::string experiment_id, prefix; // prefix of the path
  std::int64_t cursor = 0;           // next_cursor of the page before
  std::int64_t limit = 100;
};

struct output_list {
  std::vector<output> items;    // newest first
  std::int64_t next_cursor = 0; // 0: the end
  problem_list problems;        // of one job: what its RESULT_DIR had that is no output
};

using output_actor =
    caf::typed_actor<caf::replies_to<atom::list, output_query>::with<output_list>,
                     // The newest output of that experiment id and output id. not_found.
                     caf::replies_to<atom::find, std::string, std::string>::with<output>>;

/// What a wait for an import or export waits for.
struct transfer_wait {
  std::string id;
  std::optional<std::int64_t> since_seq; // answer as soon as the sequence number is another one
  std::chrono::milliseconds patience{};  // or this is over; without since: until done
};

struct transfer_query {
  direction way = direction::import;
  std::int64_t cursor = 0; // next_cursor of the page before
  std::int64_t limit = 100;
};

struct transfer_list {
  std::vector<transfer> items;  // newest first
  std::int64_t next_cursor = 0; // 0: the end
};

/// What a task says of its transfer; with a state it is the last word.
struct transfer_report {
  std::string id;
  std::int64_t bytes_done = 0, files_done = 0;
  std::optional<std::int64_t> bytes_total, files_total;
  std::string state, dataset_sha, error_code, error;
};
using adopter_actor = caf::typed_actor<
    // The files of a job that is done whose paths begin so, as a dataset.
    // not_found, unprocessable, disk_full, too_many.
    caf::replies_to<atom::import, job, std::string>::with<dataset>>;

using job_list_actor = caf::typed_actor<
    // invalid: the cursor.
    caf::replies_to<atom::list, job_query>::with<job_list>,
    // not_found.
    caf::replies_to<atom::find, array_query>::with<array_view>>;

using remover_actor = caf::typed_actor<
    // Removes what deleted jobs have left.
    caf::reacts_to<atom::tick>>;

using importer_actor = caf::typed_actor<
    // A file below JR_B2_MOUNT (relative) or below one of JR_IMPORT_ROOTS (absolute), as a dataset.
    // invalid, not_found, unavailable (no mount), too_many, unprocessable, disk_full.
    caf::replies_to<atom::import, std::string>::with<dataset>,
    // An import from a bucket or an export to one, as it was taken on: durable, and done later.
    // invalid, not_found (the bucket), unprocessable (the key), too_many.
    caf::replies_to<atom::submit, transfer>::with<transfer>,
    // By id. not_found, as the next two.
    caf::replies_to<atom::get, std::string>::with<transfer>,
    // When it has changed, is done, or the patience is over. too_many.
    caf::replies_to<atom::wait, transfer_wait>::with<transfer>,
    // The transfer, which is cancelled now unless it was done.
    caf::replies_to<atom::cancel, std::string>::with<transfer>,
    caf::replies_to<atom::list, transfer_query>::with<transfer_list>,
    // INTERNAL: from the tasks.
    caf::reacts_to<atom::seen, transfer_report>,
    // INTERNAL: the patience of one waiter is over.
    caf::reacts_to<atom::expire, std::uint64_t>>;

/// Every handle that a request may need.
struct actors {
  dataset_actor datasets;
  scrubber_actor scrubber;
  upload_actor uploads;
  job_actor jobs;
  indexer_actor indexer;
  output_actor outputs;
  importer_actor importer;
  adopter_actor adopter;
  event_actor events;
  poller_actor slurm;
  job_list_actor job_lists;
  webhook_actor webhooks;
};

} // namespace jobrunner

// Messages never leave this process (we link caf_core, not caf_io), so they need
// no serializer. Give one an inspect() the day that changes.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::array_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::array_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::arrival)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::cancel_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::dataset)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::dataset_check)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::dataset_edit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::event_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::event_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::event_wait)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::index_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::job_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::job_plan)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::job_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::job_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::output)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::output_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::output_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::recalled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::slurm::cluster)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::slurm::forecast)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::slurm::submission)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::submit_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::transfer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::transfer_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::transfer_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::transfer_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::transfer_wait)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::upload)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::upload_lease)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::upload_whole)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::webhook_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const jobrunner::queue_look>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<std::int64_t>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<std::string>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<jobrunner::job>)
