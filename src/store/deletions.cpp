#include "store/deletions.hpp"

namespace jobrunner::store {

deletions::deletions(sqlite::database& db)
    : db_(db),
      job_(db, "DELETE FROM jobs WHERE job_id=?"),
      labels_(db, "DELETE FROM labels WHERE job = (SELECT n FROM jobs WHERE job_id=?)"),
      events_(db, "DELETE FROM events WHERE job_id=?"),
      webhook_(db, "DELETE FROM webhooks WHERE job_id=?"),
      outputs_(db, "DELETE FROM outputs WHERE job_id=?"),
      index_(db, "DELETE FROM indexes WHERE job_id=?"),
      note_(db, "INSERT INTO deleted(job_id, uuid, result_dir, log_path, clean) VALUES(?,?,?,?,0)"),
      find_(db, "SELECT 1 FROM deleted WHERE job_id=?"),
      leftovers_(db, "SELECT job_id, uuid, result_dir, log_path FROM deleted WHERE clean=0"),
      removed_(db,
               "UPDATE deleted SET uuid='', result_dir='', log_path='', clean=1 WHERE job_id=?"),
      in_use_(db, "SELECT 1 FROM jobs WHERE result_dir=? LIMIT 1") {}

void deletions::remove(const job& j) {
  sqlite::transaction t{db_};
  labels_(j.id);
  job_(j.id);
  events_(j.id);
  webhook_(j.id);
  outputs_(j.id);
  index_(j.id);
  note_(j.id, j.uuid, j.result_dir, j.log_path);
  t.commit();
}

bool deletions::contains(std::int64_t job_id) {
  auto rows = find_(job_id);
  return rows.first().has_value();
}

std::vector<leftover> deletions::leftovers() {
  std::vector<leftover> all;
  for (auto r : leftovers_())
    all.push_back({r.integer(0), r.text(1), r.text(2), r.text(3)});
  return all;
}

void deletions::removed(std::int64_t job_id) {
  removed_(job_id);
}

bool deletions::in_use(const std::string& result_dir) {
  auto rows = in_use_(result_dir);
  return rows.first().has_value();
}

} // namespace jobrunner::store
