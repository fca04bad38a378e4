// What the server and the wrapper (jobrunner-job) tell each other through files, so that a job's
// truth outlives either of them.
//
//   <job_dir>/spec.json   written by the server, read-only for the job user
//   <job_dir>/run/        writable for the job user:
//       start             exclusive start marker: the wrapper's Slurm id, or "abandoned"
//       exit.json         exit record, by rename; exit_code, signal, started_at, ended_at (ms)
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
};

struct exit_record {
  int exit_code = 0, signal = 0;
  timestamp started_at{}, ended_at{};
};

/// Writes spec.json durably (temporary file, fsync, rename, fsync of the folder). Throws failure.
void write_spec(const std::filesystem::path& job_dir, const spec&);
spec read_spec(const std::filesystem::path& job_dir); // throws failure

/// Takes the start marker for `who` (one line); false if it is taken already. Throws failure.
bool take_start(const std::filesystem::path& job_dir, const std::string& who);

/// Who took the start marker; nothing if nobody did.
std::optional<std::string> started_by(const std::filesystem::path& job_dir);

void write_exit(const std::filesystem::path& job_dir,
                const exit_record&); // durable; throws failure
/// Nothing if there is none, or none that can be read.
std::optional<exit_record> read_exit(const std::filesystem::path& job_dir);

} // namespace jobrunner::slurm
