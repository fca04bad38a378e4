// Everything that can be set, read once from the environment (JR_*) at start and passed by value.
#pragma once

#include "core/address_guard.hpp"
#include "core/buckets.hpp"
#include "core/secret.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace jobrunner {

/// Imports from buckets and exports to them.
struct s3_settings {
  std::vector<bucket> buckets;     // JR_B2_*, JR_S3_BUCKETS_FILE; the first is the default
  bool any_endpoint = false;       // JR_S3_ANY_ENDPOINT: clients may name others, read without keys
  unsigned transfers = 4;          // JR_S3_TRANSFERS: at once; more wait
  unsigned connections = 4;        // JR_S3_CONNECTIONS: of one transfer
  std::chrono::seconds retry{300}; // JR_S3_RETRY_S: how long one request is tried again
  std::chrono::seconds stall{30};  // JR_S3_STALL_S: without a byte
  std::chrono::seconds longest{86400}; // JR_S3_MAX_S: a transfer
};

/// Events of jobs, sent to where their webhook_url says.
struct webhook_settings {
  secret secrets;                       // JR_WEBHOOK_SECRET; empty: of JR_ROOT/webhook_secret
  unsigned senders = 16;                // JR_WEBHOOK_SENDERS: at once
  std::chrono::seconds timeout{15};     // JR_WEBHOOK_TIMEOUT_S: of one try
  std::chrono::seconds give_up{259200}; // JR_WEBHOOK_GIVE_UP_S: after an event's first try
};

struct config {
  std::filesystem::path root;         // JR_ROOT
  std::string bind_address;           // JR_BIND
  std::uint16_t port = 8080;          // JR_PORT
  unsigned io_threads = 2;            // JR_IO_THREADS
  secret token;                       // JR_AUTH_TOKEN, or the file that JR_AUTH_TOKEN_FILE names
  bool default_token = false;         // it is "change-me": loopback only
  std::string server_user;            // JR_SERVER_USER: who the server becomes when started as root
  std::string job_user;               // JR_JOB_USER: who jobs run as
  std::uint32_t extract_uid = 0;      // JR_EXTRACT_UID: nameless user of the extractor, when root
  std::filesystem::path commands_dir; // JR_COMMANDS_DIR
  std::filesystem::path
      programs_dir; // where jobrunner-job and jobrunner-extract are: beside the server
  std::filesystem::path share_dir;  // JR_SHARE_DIR: openapi.json and other files that are served
  std::filesystem::path slurm_conf; // SLURM_CONF
  std::filesystem::path slurm_bin;  // JR_SLURM_BIN: the folder of sbatch, squeue, sacct, scancel
  std::string job_path;             // JR_JOB_PATH: PATH of jobs
  std::filesystem::path b2_mount;   // JR_B2_MOUNT
  bool b2_enabled = false;          // JR_B2_ENABLE
  std::vector<std::filesystem::path> import_roots; // JR_IMPORT_ROOTS, colon-separated
  address_guard outside; // JR_ALLOWED_PRIVATE_HOSTS: where webhooks, imports and exports may go
  s3_settings s3;
  webhook_settings webhooks;
  std::uint64_t max_upload_bytes = 0;          // JR_MAX_UPLOAD_BYTES
  std::uint64_t min_free_bytes = 0;            // JR_MIN_FREE_BYTES: kept free on the disk
  std::uint64_t max_extracted_bytes = 0;       // JR_MAX_EXTRACTED_BYTES
  std::uint64_t max_extracted_files = 0;       // JR_MAX_EXTRACTED_FILES
  std::uint64_t max_archive_ratio = 250;       // JR_MAX_ARCHIVE_RATIO: unpacked to packed
  std::uint64_t max_archive_path = 1024;       // JR_MAX_ARCHIVE_PATH: bytes of a file's path
  std::uint64_t max_extract_seconds = 21600;   // JR_MAX_EXTRACT_S: processor time of an archive
  std::uint64_t max_dataset_bytes = 0;         // JR_MAX_DATASET_BYTES: of all; 0: no limit
  std::chrono::seconds scrub_every{0};         // JR_SCRUB_EVERY_S: 0: only when asked
  std::uint64_t scrub_bytes_per_second = 1;    // JR_SCRUB_BYTES_PER_S
  std::chrono::seconds upload_expires{86400};  // JR_UPLOAD_EXPIRES_S: of a resumable one at rest
  unsigned max_array_tasks = 1000;             // JR_MAX_ARRAY_TASKS
  unsigned max_uploads = 16;                   // JR_MAX_UPLOADS: at once; 429 beyond
  unsigned max_connections = 4096;             // JR_MAX_CONNECTIONS
  unsigned max_connections_per_address = 3072; // JR_MAX_CONNECTIONS_PER_ADDRESS
  unsigned max_wrong_tokens = 20; // JR_MAX_WRONG_TOKENS: of one address before it has to wait
  std::chrono::milliseconds poll_interval{1000}; // JR_POLL_INTERVAL_MS
  std::chrono::seconds slurm_timeout{15};        // JR_SLURM_TIMEOUT_S: hard limit of one Slurm call
  std::chrono::seconds lost_after{30}; // JR_LOST_AFTER_S: that Slurm must not know a job, to have
                                       // lost it
};

/// Reads the environment and erases the secrets from it.
/// Throws failure{invalid} that names the variable, its value and what would be right.
config load_config();

} // namespace jobrunner
