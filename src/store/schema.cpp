#include "store/schema.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/unique_fd.hpp"
#include "store/seed.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace jobrunner::store {

namespace {

namespace fs = std::filesystem;

// Times are milliseconds since the epoch, UTC.
constexpr auto first_tables = R"(
CREATE TABLE datasets(
  sha256 TEXT PRIMARY KEY, rel_path TEXT NOT NULL, bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE jobs(
  n INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  job_id INTEGER UNIQUE,            -- NULL: an intent that Slurm has not answered yet
  slurm_id INTEGER,                 -- Slurm's number; differs from job_id only if Slurm gave one twice
  dataset_sha TEXT NOT NULL, command_key TEXT NOT NULL, params_json TEXT NOT NULL,
  result_dir TEXT NOT NULL, log_path TEXT NOT NULL,
  gpus INTEGER NOT NULL, cpus INTEGER NOT NULL, mem_mb INTEGER NOT NULL,
  time_limit_s INTEGER NOT NULL,
  state TEXT NOT NULL, done INTEGER NOT NULL, indexed INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL, seq INTEGER NOT NULL,
  exit_code INTEGER, exit_signal INTEGER, reason TEXT NOT NULL, node TEXT NOT NULL,
  created_at INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER);
CREATE INDEX jobs_open ON jobs(n) WHERE done = 0;
CREATE INDEX jobs_unindexed ON jobs(n) WHERE done = 1 AND indexed = 0;

CREATE TABLE outputs(
  n INTEGER PRIMARY KEY AUTOINCREMENT, -- newest first is n descending; never used again: cursors
  job_id INTEGER NOT NULL, experiment_id TEXT NOT NULL, output_id TEXT NOT NULL,
  path TEXT NOT NULL, bytes INTEGER NOT NULL, kind TEXT NOT NULL, created_at INTEGER NOT NULL,
  UNIQUE(job_id, experiment_id, output_id));
CREATE INDEX outputs_by_name ON outputs(experiment_id, output_id, n);
CREATE INDEX outputs_by_experiment ON outputs(experiment_id, n);
CREATE INDEX outputs_by_job ON outputs(job_id, n);
)";

constexpr auto jobs_with_extras = R"(
ALTER TABLE jobs ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN experiment_id TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN labels_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE jobs ADD COLUMN env_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE jobs ADD COLUMN signal TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN after_ids TEXT NOT NULL DEFAULT ''; -- job ids, separated by commas
ALTER TABLE jobs ADD COLUMN webhook_url TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN array_uuid TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN array_index INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE jobs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN idempotency_key TEXT; -- in the row itself: no crash separates them
ALTER TABLE jobs ADD COLUMN fingerprint TEXT;     -- of the request that had the key
CREATE UNIQUE INDEX jobs_by_key ON jobs(idempotency_key) WHERE idempotency_key IS NOT NULL;
ALTER TABLE jobs ADD COLUMN array_spec TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN requeued_from INTEGER NOT NULL DEFAULT 0; -- a job id; 0: none
ALTER TABLE jobs ADD COLUMN experiment TEXT NOT NULL DEFAULT ''; -- of its outputs, as far as known
ALTER TABLE jobs ADD COLUMN log_tail TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN kill_at INTEGER;

-- For lists, newest first; n, which is the rowid, is the last column of each without being named.
CREATE INDEX jobs_by_time ON jobs(created_at);
CREATE INDEX jobs_by_state ON jobs(state, created_at);
CREATE INDEX jobs_by_command ON jobs(command_key, created_at);
CREATE INDEX jobs_by_dataset ON jobs(dataset_sha, created_at);
CREATE INDEX jobs_by_experiment ON jobs(experiment, created_at) WHERE experiment <> '';
CREATE INDEX jobs_by_name ON jobs(name, created_at) WHERE name <> '';
CREATE INDEX jobs_by_array ON jobs(array_uuid, created_at) WHERE array_uuid <> '';
CREATE INDEX jobs_by_task ON jobs(array_uuid, array_index) WHERE array_uuid <> '';
CREATE TABLE labels(
  key TEXT NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL, job INTEGER NOT NULL, -- created_at, n
  PRIMARY KEY(key, value, at, job)) WITHOUT ROWID;
CREATE INDEX labels_by_job ON labels(job);

CREATE TABLE deleted(
  job_id INTEGER PRIMARY KEY,  -- no other job will ever have it
  uuid TEXT NOT NULL, result_dir TEXT NOT NULL, log_path TEXT NOT NULL, -- files still to be removed
  clean INTEGER NOT NULL);
CREATE INDEX deleted_unclean ON deleted(job_id) WHERE clean = 0;

CREATE TABLE events(
  n INTEGER PRIMARY KEY AUTOINCREMENT, -- order over all jobs; never used again: cursors
  job_id INTEGER NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, state TEXT NOT NULL,
  done INTEGER NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
  UNIQUE(job_id, seq));
)";

constexpr auto transfers_to_buckets = R"(
CREATE TABLE transfers(
  n INTEGER PRIMARY KEY AUTOINCREMENT, -- newest first is n descending; never used again: cursors
  id TEXT NOT NULL UNIQUE, way INTEGER NOT NULL, -- 0: import, 1: export
  bucket TEXT NOT NULL, endpoint TEXT NOT NULL, key TEXT NOT NULL, prefix TEXT NOT NULL,
  sha256 TEXT NOT NULL, filename TEXT NOT NULL, extract INTEGER NOT NULL, job_id INTEGER NOT NULL,
  state TEXT NOT NULL, done INTEGER NOT NULL, seq INTEGER NOT NULL,
  bytes_done INTEGER NOT NULL, files_done INTEGER NOT NULL, bytes_total INTEGER, files_total INTEGER,
  dataset_sha TEXT NOT NULL, error_code TEXT NOT NULL, error TEXT NOT NULL,
  created_at INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER);
CREATE INDEX transfers_open ON transfers(n) WHERE done = 0;
CREATE INDEX transfers_by_way ON transfers(way, n);
)";

constexpr auto datasets_with_a_life = R"(
ALTER TABLE datasets ADD COLUMN tags TEXT NOT NULL DEFAULT ''; -- separated by commas
ALTER TABLE datasets ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE datasets ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datasets ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datasets ADD COLUMN checked_at INTEGER;
ALTER TABLE datasets ADD COLUMN damage TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_open_by_dataset ON jobs(dataset_sha) WHERE done = 0;

CREATE TABLE uploads( -- resumable ones; their bytes lie in datasets/.uploads/<id>
  id TEXT PRIMARY KEY,
  length INTEGER NOT NULL, offset INTEGER NOT NULL, -- so many bytes are on the disk
  metadata TEXT NOT NULL, filename TEXT NOT NULL, extract INTEGER NOT NULL, sha256 TEXT NOT NULL,
  concat TEXT NOT NULL, -- '', 'partial', or the ids of the parts of a final one
  state TEXT NOT NULL, dataset_sha TEXT NOT NULL, problem TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
)";

constexpr auto webhooks_of_jobs = R"(
CREATE TABLE webhooks( -- a row for each job with a webhook_url, from its first event on
  job_id INTEGER PRIMARY KEY,
  delivered INTEGER NOT NULL DEFAULT 0, -- seq of the last event that was taken
  tries INTEGER NOT NULL DEFAULT 0, first_try INTEGER, due INTEGER, -- of the next one
  state INTEGER NOT NULL DEFAULT 0, -- 0: open, 1: stopped by the receiver, 2: given up
  error TEXT NOT NULL DEFAULT '');
CREATE INDEX webhooks_due ON webhooks(job_id) WHERE due IS NOT NULL;
)";

constexpr auto outputs_with_hashes = R"(
ALTER TABLE outputs ADD COLUMN stamp TEXT NOT NULL DEFAULT ''; -- of the file that was indexed; '': not known
ALTER TABLE outputs ADD COLUMN sha256 TEXT; -- NULL: to be hashed; '': the file was not the indexed one any more
ALTER TABLE outputs ADD COLUMN round INTEGER NOT NULL DEFAULT 0; -- of indexing its job, that last saw it
CREATE INDEX outputs_unhashed ON outputs(n) WHERE sha256 IS NULL;
CREATE TABLE indexes(
  job_id INTEGER PRIMARY KEY,
  round INTEGER NOT NULL, -- how often it was indexed
  problems TEXT NOT NULL, problems_total INTEGER NOT NULL); -- the first of them, a line each
)";

// From version i to i + 1, for a database in which the steps before have been done.
const std::array<std::vector<const char*>, 3> steps{
    {{first_tables},
     {jobs_with_extras, transfers_to_buckets, datasets_with_a_life},
     {webhooks_of_jobs, outputs_with_hashes}}};
constexpr std::int64_t newest = 3;

std::int64_t number(sqlite::database& db, const char* sql) {
  sqlite::statement s{db, sql};
  auto rows = s();
  const auto row = rows.first();
  return row ? row->integer(0) : 0;
}

/// Opens the file, or makes it, readable for nobody else. One that is not ours to use is refused
/// before SQLite sees it, which would change it: a connection switches it to WAL.
void check_file(const fs::path& file) {
  const unique_fd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!fd)
    throw errno_failure("open it");
  // "The SQLite Database File Format", 1.3: a magic string, at 60 the user version, big-endian.
  std::array<unsigned char, 100> header{};
  const auto have = pread(fd.get(), header.data(), header.size(), 0);
  if (have < 0)
    throw errno_failure("read it");
  constexpr std::string_view magic{"SQLite format 3\0", 16};
  if (have > 0 && !std::equal(magic.begin(), magic.end(), header.begin()))
    throw failure(errc::internal, "it is no SQLite database");
  std::int64_t version = 0;
  for (std::size_t i = 60; i < 64; ++i)
    version = version * 256 + header.at(i);
  if (version > newest)
    throw failure(errc::internal, "it has schema version " + std::to_string(version) +
                                      ", and this program knows " + std::to_string(newest) +
                                      ": use the newer program");
  if (fchmod(fd.get(), 0600) != 0)
    throw errno_failure("make it private");
}

} // namespace

void migrate(const fs::path& root) try {
  const auto file = root / "jr_slurm.db";
  check_file(file);
  sqlite::database db{file};
  const auto version = number(db, "PRAGMA user_version");
  number(db, "SELECT count(*) FROM sqlite_schema"); // reads page 1: a damaged file shows here
  if (version == newest)
    return;
  const bool seed = version == 0 && is_seed(db);
  if (seed)
    keep_seed(db, root);
  sqlite::transaction t{db};
  if (seed)
    rename_seed(db);
  for (auto i = static_cast<std::size_t>(version); i < steps.size(); ++i)
    for (const auto* sql : steps.at(i))
      db.run(sql);
  if (seed)
    take_over_seed(db, root);
  db.run(("PRAGMA user_version=" + std::to_string(newest)).c_str());
  t.commit();
  if (seed || version > 0)
    log("store", "migrated", {{"from", seed ? "the FastAPI program" : std::to_string(version)}});
} catch (const failure& f) {
  throw failure(f.code(), "cannot use " + (root / "jr_slurm.db").string() + ": " + f.what());
} catch (const std::exception& e) { // std::filesystem's
  throw failure(errc::internal, "cannot use " + (root / "jr_slurm.db").string() + ": " + e.what());
}

sqlite::database open(const fs::path& root) {
  return sqlite::database{root / "jr_slurm.db"};
}

} // namespace jobrunner::store
