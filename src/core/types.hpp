// The words every layer shares. No behaviour.
#pragma once

#include "core/error.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jobrunner {

struct dataset {
  std::string sha256; // of the bytes that were uploaded, archive or not
  std::string
      rel_path; // below the root: "datasets/<sha256>/" (extracted) or "datasets/<sha256>/<name>"
  std::int64_t bytes = 0; // sum of its files
  timestamp created_at{};
  std::vector<std::string> tags{}; // each once, in order
  std::string note{};
  bool pinned = false;                   // never cleaned up
  timestamp used_at{};                   // last upload, look-up or job, give or take ten minutes
  std::optional<timestamp> checked_at{}; // when its files were last hashed
  std::string damage{};                  // what that found, in words; empty: they are as they were
};

/// A resumable upload (tus 1.0).
struct upload {
  std::string id; // a uuid
  std::uint64_t length = 0;
  std::uint64_t offset = 0;         // so many bytes have come and are on the disk
  std::string metadata{};           // as sent
  std::string filename{};           // safe; what the dataset's file is called, if it is one
  bool extract = true;              // if it is an archive
  std::string sha256{};             // that it must have; empty: any
  bool partial = false;             // no dataset, but a part of a later upload
  std::vector<std::string> parts{}; // of a final one: the ids of its partial ones
  std::string state = "receiving";  // then processing, then done or failed; or expired
  std::string dataset_sha{};        // once done
  std::string problem{};            // why it failed, in words
  errc code = errc::unprocessable;  // likewise; not kept over a restart
  timestamp created_at{}, expires_at{};
};

/// What a job asks of the cluster.
struct resources {
  std::int64_t gpus = 0;
  std::int64_t cpus = 1;
  std::int64_t mem_mb = 1024;
  std::int64_t time_limit_s = 3600;
};

/// What a client may add to a job. None of it is ever on a command line of Slurm's.
struct job_extras {
  std::string name;                // for people
  std::string experiment_id;       // of its outputs; empty: the params' experimentId, or job-<id>
  std::string labels_json = "{}";  // {"key": "value"}
  std::string env_json = "{}";     // {"NAME": "value"}, set by the wrapper
  std::string signal;              // as sbatch --signal, "USR1@60": so long before the time limit
  std::vector<std::int64_t> after; // job ids that must succeed first
  std::string webhook_url;         // hears of every change
};

/// A job as the server knows it.
struct job {
  std::string uuid;          // ours; Slurm knows the job as "jr-<uuid>"
  std::int64_t id = 0;       // the API's job_id: Slurm's number; 0 until Slurm has answered
  std::int64_t slurm_id = 0; // the same, unless Slurm lost its state and gave one number twice
  std::string dataset_sha;
  std::string command_key;
  std::string params_json; // byte for byte as sent
  std::string result_dir;  // absolute
  std::string log_path;    // below the root
  resources wanted;
  job_extras extras;
  std::string array_uuid;         // shared by the tasks of an array; empty: none
  std::int64_t array_index = 0;   // the task's own number
  std::string array_spec;         // as asked for, "0-9%2"; a clone of a task keeps it
  std::int64_t requeued_from = 0; // the job that this one runs again; 0: none
  std::string experiment;         // of its outputs, as far as known; empty: job-<id>
  std::int64_t attempt = 1;       // which start of it the rest is about
  bool held = false;              // not to be started before it is released
  std::string state;              // Slurm's long form, SUBMITTED before the first look, or LOST
  bool done = false;              // the state is final
  bool indexed = false;
  bool cancel_requested = false;
  std::int64_t seq = 0; // grows with every change that a client can see
  std::optional<int> exit_code;
  std::optional<int> exit_signal;
  std::string reason; // in words: why pending, why failed
  std::string node;
  std::string log_tail; // its last lines, once it has ended badly
  timestamp created_at{};
  std::optional<timestamp> started_at, ended_at;
  std::optional<timestamp> kill_at; // when the grace of a cancel is over
};

/// A change of a job that clients hear of.
struct job_event {
  std::int64_t n = 0; // order over all jobs
  std::int64_t job_id = 0;
  std::int64_t seq = 0; // the job's, after the change
  std::string type;     // state: another state; indexed: its outputs are there; change: all else
  std::string state;
  bool done = false;
  std::string reason;
  timestamp at{};
};

/// One file that a job left.
struct output {
  std::string experiment_id;
  std::string output_id;
  std::string path; // below the job's RESULT_DIR
  std::int64_t job_id = 0;
  std::int64_t bytes = 0;
  std::string kind; // weights, result, manifest, log, file
  timestamp created_at{};
  std::string stamp{};  // of the file when it was looked at (core/file_stamp.hpp); empty: not known
  std::string sha256{}; // of its bytes while it had that stamp; empty: not known, or not yet
};

} // namespace jobrunner
