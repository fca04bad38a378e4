// A row of the table jobs as a job. For this folder alone.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

// What read_job reads, by position; n comes last.
#define JOB_COLUMNS                                                                                \
  "uuid, job_id, slurm_id, dataset_sha, command_key, params_json, result_dir, log_path, gpus, "    \
  "cpus, mem_mb, time_limit_s, state, done, indexed, cancel_requested, seq, exit_code, "           \
  "exit_signal, reason, node, created_at, started_at, ended_at, name, experiment_id, "             \
  "labels_json, env_json, signal, after_ids, webhook_url, array_uuid, array_index, attempt, "      \
  "held, array_spec, requeued_from, experiment, log_tail, kill_at, n"

namespace jobrunner::store {

/// Positions that lists look at before they read the rest.
namespace job_column {
constexpr int job_id = 1, dataset_sha = 3, command_key = 4, state = 12, created_at = 21, name = 24,
              labels_json = 26, experiment = 37, n = 40;
}

job read_job(const sqlite::row&);

} // namespace jobrunner::store
