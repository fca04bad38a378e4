#include "store/schema.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/uuid.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace jobrunner::store {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t newest = 1;

// Times are milliseconds since the epoch, UTC.
constexpr auto tables = R"(
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
  n INTEGER PRIMARY KEY,            -- newest first is n descending
  job_id INTEGER NOT NULL, experiment_id TEXT NOT NULL, output_id TEXT NOT NULL,
  path TEXT NOT NULL, bytes INTEGER NOT NULL, kind TEXT NOT NULL, created_at INTEGER NOT NULL,
  UNIQUE(job_id, output_id));
CREATE INDEX outputs_by_name ON outputs(experiment_id, output_id, n);
CREATE INDEX outputs_by_experiment ON outputs(experiment_id, n);
CREATE INDEX outputs_by_job ON outputs(job_id, n);
)";

// The FastAPI program kept no state of its jobs: theirs is UNKNOWN, and final.
constexpr auto copy_datasets = R"(
INSERT INTO datasets SELECT lower(sha256), rel_path, bytes,
  coalesce(CAST(strftime('%s', created_at) AS INTEGER), 0) * 1000 FROM seed_datasets;)";
constexpr auto copy_outputs = R"(
INSERT INTO outputs(job_id, experiment_id, output_id, path, bytes, kind, created_at)
  SELECT coalesce(job_id, 0), experiment_id, output_id, path, 0, 'file',
    coalesce(CAST(strftime('%s', created_at) AS INTEGER), 0) * 1000
  FROM seed_outputs ORDER BY created_at;)";
constexpr auto copy_jobs = R"(
INSERT INTO jobs(uuid, job_id, slurm_id, dataset_sha, command_key, params_json, result_dir, log_path,
    gpus, cpus, mem_mb, time_limit_s, state, done, indexed, cancel_requested, seq, reason, node, created_at)
  SELECT 'seed-' || slurm_id, slurm_id, slurm_id, coalesce(dataset_sha, ''), coalesce(command_key, ''),
    coalesce(params_json, '{}'), coalesce(result_dir, ''), coalesce(log_path, ''), 0, 0, 0, 0,
    'UNKNOWN', 1, 1, 0, 1, 'it ran before this server took over, which did not record how it ended',
    '', coalesce(CAST(strftime('%s', created_at) AS INTEGER), 0) * 1000
  FROM seed_jobs ORDER BY slurm_id;)";

std::int64_t number(sqlite::database& db, const char* sql) {
  sqlite::statement s{db, sql};
  auto rows = s();
  const auto row = rows.first();
  return row ? row->integer(0) : 0;
}

/// A root that was moved: results recorded below the old one are looked for in this one.
void follow_moved_results(sqlite::database& db, const fs::path& root) {
  sqlite::statement all{db, "SELECT n, result_dir FROM jobs"};
  sqlite::statement move{db, "UPDATE jobs SET result_dir = ? WHERE n = ?"};
  std::vector<std::pair<std::int64_t, std::string>> moved;
  for (auto r : all()) {
    const fs::path was = r.text(1);
    const auto here = root / "results" / was.filename();
    std::error_code ignored;
    if (!fs::exists(was, ignored) && fs::exists(here, ignored))
      moved.emplace_back(r.integer(0), here.string());
  }
  for (const auto& [n, path] : moved)
    move(path, n);
}

void from_seed(sqlite::database& db, const fs::path& root) {
  const auto copy = root / "jr_slurm.db.seed";
  if (!fs::exists(copy)) {
    sqlite::statement keep{db, "VACUUM INTO ?"};
    keep(copy.string());
  }
  sqlite::transaction t{db};
  for (const char* table : {"datasets", "jobs", "outputs"}) {
    const std::string name = table;
    db.run(
        ("CREATE TABLE IF NOT EXISTS " + name +
         (name == "datasets" ? "(sha256 TEXT, rel_path TEXT, bytes INTEGER, created_at TEXT)"
          : name == "jobs"   ? "(slurm_id INTEGER, dataset_sha TEXT, command_key TEXT, params_json "
                               "TEXT, result_dir TEXT, log_path TEXT, created_at TEXT)"
                             : "(experiment_id TEXT, output_id TEXT, path TEXT, job_id INTEGER, "
                               "created_at TEXT)"))
            .c_str());
    db.run(("ALTER TABLE " + name + " RENAME TO seed_" + name).c_str());
  }
  db.run(tables);
  db.run(copy_datasets);
  db.run(copy_jobs);
  db.run(copy_outputs);
  follow_moved_results(db, root);
  db.run("DROP TABLE seed_datasets; DROP TABLE seed_jobs; DROP TABLE seed_outputs;"
         "PRAGMA user_version=1");
  t.commit();
  log("store", "migrated", {{"from", "FastAPI program"}, {"copy", copy.string()}});
}

} // namespace

void migrate(const fs::path& root) try {
  const auto file = root / "jr_slurm.db";
  // SQLite would make it with the umask's mode; nobody but the server may read it.
  if (const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
      fd >= 0) {
    fchmod(fd, 0600);
    ::close(fd);
  } else {
    throw errno_failure("open " + file.string());
  }
  sqlite::database db{file};
  const auto version = number(db, "PRAGMA user_version");
  if (version > newest)
    throw failure(errc::internal, file.string() + " has schema version " + std::to_string(version) +
                                      ", this program knows " + std::to_string(newest) +
                                      ": use the newer program");
  if (version == newest) {
    number(db, "SELECT count(*) FROM sqlite_schema"); // reads page 1: a damaged file shows here
    return;
  }
  if (number(db,
             "SELECT count(*) FROM sqlite_schema WHERE name IN ('datasets', 'jobs', 'outputs')") >
      0)
    return from_seed(db, root);
  sqlite::transaction t{db};
  db.run(tables);
  db.run("PRAGMA user_version=1");
  t.commit();
} catch (const failure& f) {
  throw failure(f.code(), "cannot use " + (root / "jr_slurm.db").string() + ": " + f.what());
}

sqlite::database open(const fs::path& root) {
  return sqlite::database{root / "jr_slurm.db"};
}

} // namespace jobrunner::store
