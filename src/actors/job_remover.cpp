#include "actors/job_remover.hpp"

#include "actors/job_intake.hpp"
#include "core/log.hpp"
#include "store/deletions.hpp"
#include "store/schema.hpp"

#include <filesystem>
#include <memory>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

struct deletion_table {
  explicit deletion_table(const services& with) : db(store::open(with.settings.root)), rows(db) {}
  sqlite::database db;
  store::deletions rows;
};

/// The job's own files are the job user's to remove; the folder itself is the server's.
void remove_folder(const services& with, const fs::path& folder) {
  std::error_code not_there;
  if (!fs::is_directory(fs::symlink_status(folder, not_there)))
    return;
  with.slurm.empty(folder);
  fs::remove_all(folder);
}

/// Whether `path` is an entry of that folder of the root: rows of other programs may name anything.
bool lies_in(const fs::path& path, const fs::path& folder) {
  const auto name = path.filename().string();
  return path.parent_path() == folder && !name.empty() && name != "." && name != "..";
}

void remove_files(const services& with, store::deletions& rows, const store::leftover& job) {
  const auto& root = with.settings.root;
  if (const auto folder = job_dir(with, job.uuid); lies_in(folder, root / "jobs")) {
    remove_folder(with, folder / "run");
    fs::remove_all(folder);
  }
  // The FastAPI program gave two jobs of the same second one folder.
  fs::path results{job.result_dir};
  if (!results.has_filename()) // "results/job_7/"
    results = results.parent_path();
  if (lies_in(results, root / "results") &&
      (results.filename() == "job_" + job.uuid || !rows.in_use(job.result_dir)))
    remove_folder(with, results);
  if (const auto file = root / job.log_path; lies_in(file, root / "logs"))
    fs::remove(file);
}

void clean(const services& with, store::deletions& rows) {
  for (const auto& job : rows.leftovers()) {
    try {
      remove_files(with, rows, job);
      rows.removed(job.job_id);
    } catch (const std::exception& e) { // the next start, or deletion, tries again
      log("remover", "files_stay", {{"job", std::to_string(job.job_id)}, {"why", e.what()}});
    }
  }
}

} // namespace

remover_actor::behavior_type job_remover(remover_actor::pointer self, const services& with) {
  const auto t = std::make_shared<deletion_table>(with);
  self->send(self, atom::tick_v); // what a crash left
  return {[t, &with](atom::tick) {
    try {
      clean(with, t->rows);
    } catch (const std::exception& e) {
      log("remover", "failed", {{"why", e.what()}});
    }
  }};
}

} // namespace jobrunner
