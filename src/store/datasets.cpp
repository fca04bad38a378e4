#include "store/datasets.hpp"

namespace jobrunner::store {

datasets::datasets(sqlite::database& db)
    : put_(db, "INSERT OR REPLACE INTO datasets(sha256, rel_path, bytes, created_at) VALUES(?, ?, "
               "?, ?)"),
      remove_(db, "DELETE FROM datasets WHERE sha256 = ?"),
      all_(db, "SELECT sha256, rel_path, bytes, created_at FROM datasets") {}

void datasets::put(const dataset& d) {
  put_(d.sha256, d.rel_path, d.bytes, std::int64_t{d.created_at.time_since_epoch().count()});
}

void datasets::remove(std::string_view sha256) {
  remove_(sha256);
}

std::vector<dataset> datasets::all() {
  std::vector<dataset> found;
  for (auto r : all_())
    found.push_back(
        {r.text(0), r.text(1), r.integer(2), timestamp{std::chrono::milliseconds{r.integer(3)}}});
  return found;
}

} // namespace jobrunner::store
