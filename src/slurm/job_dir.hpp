// What the server and the wrapper (jobrunner-job) tell each other through files, so that a job's
// truth outlives either of them.
//
//   <job_dir>/spec.json   written by the server, read-only for the job user
//   <job_dir>/run/        writable for the job user:
//       lock              held by the wrapper and its command for as long as one of them lives
//       start             exclusive start marker: the wrapper's Slurm id and, from the second on,
//                         which attempt it is; or "abandoned"
//       exit.json         exit record, by rename; exit_code, signal, started_at, ended_at (ms),
//                         attempt
//       home/             HOME of the job, removed when it ends
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace jobrunner::slurm {

struct spec {
  std::string uuid;
  std::vector<std::string> argv;
  std::string dataset_dir, result_dir, params_json; // DATASET_DIR, RESULT_DIR, JR_PARAMS
  std::string path;                                 // PATH of the job
  std::vector<std::string> env{};                   // "NAME=value", besides what every job gets
};

/// Who took the start marker.
struct start {
  bool abandoned = false;    // the server: the job will never run
  std::int64_t slurm_id = 0; // of the wrapper; 0: not written yet, or spoilt
  std::int64_t attempt = 1;
};

struct exit_record {
  int exit_code = 0, signal = 0;
  timestamp started_at{}, ended_at{};
  std::int64_t attempt = 1;
};

/// Writes spec.json durably (temporary file, fsync, rename, fsync of the folder). Throws failure.
void write_spec(const std::filesystem::path& job_dir, const spec&);
spec read_spec(const std::filesystem::path& job_dir); // throws failure

/// Takes the start marker, so that the job will never run; false if it is taken already. Throws
/// failure.
bool abandon(const std::filesystem::path& job_dir);

/// Takes the start marker for the first attempt; false if it is taken already. Throws failure.
bool take_start(const std::filesystem::path& job_dir, std::int64_t slurm_id);

/// Puts the marker of a later attempt in the place of a dead one's; for whoever holds the lock.
/// Throws failure.
void take_over_start(const std::filesystem::path& job_dir, std::int64_t slurm_id,
                     std::int64_t attempt);

/// Nothing if nobody took the start marker.
std::optional<start> read_start(const std::filesystem::path& job_dir);

void write_exit(const std::filesystem::path& job_dir,
                const exit_record&); // durable; throws failure
/// Nothing if there is none, or none that can be read.
std::optional<exit_record> read_exit(const std::filesystem::path& job_dir);

} // namespace jobrunner::slurm
