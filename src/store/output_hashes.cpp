#include "store/output_hashes.hpp"

namespace jobrunner::store {

output_hashes::output_hashes(sqlite::database& db)
    : db_(db),
      next_(db, "SELECT outputs.n, result_dir, path, stamp FROM outputs JOIN jobs USING(job_id) "
                "WHERE sha256 IS NULL AND outputs.n > ? ORDER BY outputs.n LIMIT ?"),
      put_(db, "UPDATE outputs SET sha256 = ?, stamp = ? "
               "WHERE n = ? AND sha256 IS NULL AND path = ? AND stamp = ?") {}

std::vector<unhashed> output_hashes::next(std::int64_t after, std::int64_t limit) {
  std::vector<unhashed> all;
  for (auto r : next_(after, limit))
    all.push_back({r.integer(0), r.text(1), r.text(2), r.text(3)});
  return all;
}

void output_hashes::put(const std::vector<hashed>& all) {
  if (all.empty())
    return;
  sqlite::transaction t{db_};
  for (const auto& h : all)
    put_(h.sha256, h.stamp, h.of.n, h.of.path, h.of.stamp);
  t.commit();
}

} // namespace jobrunner::store
