#include "store/seed.hpp"

#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/log.hpp"
#include "core/output_kind.hpp"
#include "core/unique_fd.hpp"

#include <fcntl.h>

#include <string>
#include <sys/stat.h>
#include <vector>

namespace jobrunner::store {

namespace {

namespace fs = std::filesystem;

// Whichever of its tables is missing is taken for an empty one.
constexpr auto complete = R"(
CREATE TABLE IF NOT EXISTS datasets(sha256 TEXT, rel_path TEXT, bytes INTEGER, created_at TEXT);
CREATE TABLE IF NOT EXISTS jobs(slurm_id INTEGER, dataset_sha TEXT, command_key TEXT,
  params_json TEXT, result_dir TEXT, log_path TEXT, created_at TEXT);
CREATE TABLE IF NOT EXISTS outputs(experiment_id TEXT, output_id TEXT, path TEXT, job_id INTEGER,
  created_at TEXT);
ALTER TABLE datasets RENAME TO seed_datasets;
ALTER TABLE jobs RENAME TO seed_jobs;
ALTER TABLE outputs RENAME TO seed_outputs;
)";

#define MILLISECONDS "coalesce(CAST(strftime('%s', created_at) AS INTEGER), 0) * 1000"

// It kept no state of its jobs: theirs is UNKNOWN, and final.
constexpr auto copy = R"(
INSERT OR IGNORE INTO datasets(sha256, rel_path, bytes, created_at) SELECT lower(sha256),
  coalesce(rel_path, 'datasets/' || lower(sha256) || '/'), coalesce(bytes, 0), )" MILLISECONDS R"(
  FROM seed_datasets WHERE sha256 IS NOT NULL;
INSERT INTO jobs(uuid, job_id, slurm_id, dataset_sha, command_key, params_json, result_dir, log_path,
    gpus, cpus, mem_mb, time_limit_s, state, done, indexed, cancel_requested, seq, reason, node,
    created_at)
  SELECT 'seed-' || slurm_id, slurm_id, slurm_id, coalesce(dataset_sha, ''),
    coalesce(command_key, ''), coalesce(params_json, '{}'), coalesce(result_dir, ''),
    coalesce(log_path, ''), 0, 0, 0, 0, 'UNKNOWN', 1, 1, 0, 1,
    'it ran before this server took over, which did not record how it ended', '', )" MILLISECONDS
                      R"(
  FROM seed_jobs ORDER BY slurm_id;
INSERT INTO outputs(job_id, experiment_id, output_id, path, bytes, kind, created_at)
  SELECT coalesce(job_id, 0), coalesce(experiment_id, ''), coalesce(output_id, ''),
    coalesce(path, ''), 0, 'file', )" MILLISECONDS R"(
  FROM seed_outputs ORDER BY created_at;
DROP TABLE seed_datasets;
DROP TABLE seed_jobs;
DROP TABLE seed_outputs;
)";

/// The last part of a folder's path, also of one that ends in a slash; empty if it has none.
std::string name_of(const fs::path& folder) {
  const auto name = folder.has_filename() ? folder.filename() : folder.parent_path().filename();
  return name == "." || name == ".." ? "" : name.string();
}

/// In a root that was moved, results recorded below the old one are looked for in this one.
void follow_moved_results(sqlite::database& db, const fs::path& root) {
  sqlite::statement all{db, "SELECT n, result_dir FROM jobs"};
  sqlite::statement move{db, "UPDATE jobs SET result_dir = ? WHERE n = ?"};
  std::vector<std::pair<std::int64_t, std::string>> moved;
  for (auto r : all()) {
    const auto was = r.text(1);
    const auto name = name_of(was);
    const auto here = (root / "results" / name).string();
    std::error_code unreadable;
    if (!name.empty() && here != was && fs::is_directory(here, unreadable))
      moved.emplace_back(r.integer(0), here);
  }
  for (const auto& [n, path] : moved)
    move(path, n);
}

/// `path` below the job's result folder. That program wrote it so, or absolute, or below its root.
std::string below_results(const std::string& path, const fs::path& result_dir) {
  std::error_code unreadable;
  if (fs::path{path}.is_relative() && fs::is_regular_file(result_dir / path, unreadable))
    return path;
  const auto marker = "results/" + name_of(result_dir) + "/";
  if (path.starts_with(marker))
    return path.substr(marker.size());
  const auto at = path.find("/" + marker);
  return at == std::string::npos ? path : path.substr(at + 1 + marker.size());
}

struct seed_output {
  std::int64_t n = 0;
  std::string path, result_dir;
};

/// What our rows say of a file, and that program's do not.
void complete_outputs(sqlite::database& db) {
  sqlite::statement all{db,
                        "SELECT outputs.n, path, result_dir FROM outputs JOIN jobs USING(job_id)"};
  sqlite::statement set{db, "UPDATE outputs SET path = ?, bytes = ?, kind = ? WHERE n = ?"};
  std::vector<seed_output> found;
  for (auto r : all())
    found.push_back({r.integer(0), r.text(1), r.text(2)});
  for (const auto& o : found) {
    const auto path = below_results(o.path, o.result_dir);
    struct stat about {};
    const bool there = lstat((fs::path{o.result_dir} / path).c_str(), &about) == 0;
    set(path, there ? std::int64_t{about.st_size} : 0, output_kind(path), o.n);
  }
}

/// Folders without a row would look like uploads that a crash cut off, which are removed: that
/// program's may be all that somebody has, so they stay under another name.
void keep_unnamed_datasets(sqlite::database& db, const fs::path& root) {
  sqlite::statement named{db, "SELECT 1 FROM datasets WHERE sha256 = ?"};
  std::error_code ec;
  std::vector<fs::path> unnamed;
  for (const auto& there : fs::directory_iterator{root / "datasets", ec})
    if (const auto name = there.path().filename().string(); is_sha256(name) && !named(name).first())
      unnamed.push_back(there.path());
  for (const auto& path : unnamed) {
    fs::rename(path, path.string() + ".without-row", ec);
    log("store", "dataset_without_row",
        {{"folder", path.string()}, {"error", ec ? ec.message() : ""}});
  }
}

} // namespace

bool is_seed(sqlite::database& db) {
  sqlite::statement ours{
      db, "SELECT 1 FROM sqlite_schema WHERE name IN ('datasets', 'jobs', 'outputs')"};
  return ours().first().has_value();
}

void keep_seed(sqlite::database& db, const fs::path& root) {
  const auto kept = root / "jr_slurm.db.seed";
  const auto unfinished = root / "jr_slurm.db.seed.tmp"; // a crash leaves no half a copy behind
  if (fs::exists(kept))
    return;
  fs::remove(unfinished);
  // SQLite would make it readable for everybody.
  const unique_fd file{
      ::open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file)
    throw errno_failure("create " + unfinished.string());
  sqlite::statement keep{db, "VACUUM INTO ?"};
  keep(unfinished.string());
  if (fsync(file.get()) != 0)
    throw errno_failure("sync " + unfinished.string());
  fs::rename(unfinished, kept);
  log("store", "seed_kept", {{"copy", kept.string()}});
}

void rename_seed(sqlite::database& db) {
  db.run(complete);
}

void take_over_seed(sqlite::database& db, const fs::path& root) {
  db.run(copy);
  follow_moved_results(db, root);
  complete_outputs(db);
  keep_unnamed_datasets(db, root);
}

} // namespace jobrunner::store
