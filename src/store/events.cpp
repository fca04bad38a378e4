#include "store/events.hpp"

namespace jobrunner::store {

namespace {

#define EVENT_COLUMNS "n, job_id, seq, type, state, done, reason, at"

std::vector<job_event> read_events(sqlite::statement::rows rows) {
  std::vector<job_event> found;
  for (auto r : rows)
    found.push_back({r.integer(0), r.integer(1), r.integer(2), r.text(3), r.text(4),
                     r.integer(5) != 0, r.text(6),
                     timestamp{std::chrono::milliseconds{r.integer(7)}}});
  return found;
}

} // namespace

events::events(sqlite::database& db)
    : insert_(db, "INSERT INTO events(job_id, seq, type, state, done, reason, at) "
                  "VALUES(?,?,?,?,?,?,?) RETURNING n"),
      after_(db, "SELECT " EVENT_COLUMNS " FROM events WHERE n > ? ORDER BY n LIMIT ?"),
      of_job_after_(db, "SELECT " EVENT_COLUMNS
                        " FROM events WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?"),
      largest_(db, "SELECT coalesce(max(n), 0) FROM events") {}

void events::insert(job_event& e) {
  auto rows = insert_(e.job_id, e.seq, e.type, e.state, std::int64_t{e.done}, e.reason,
                      std::int64_t{e.at.time_since_epoch().count()});
  e.n = rows.first()->integer(0);
}

std::vector<job_event> events::after(std::int64_t n, std::int64_t limit) {
  return read_events(after_(n, limit));
}

std::vector<job_event> events::of_job_after(std::int64_t job_id, std::int64_t seq,
                                            std::int64_t limit) {
  return read_events(of_job_after_(job_id, seq, limit));
}

std::int64_t events::largest() {
  auto rows = largest_();
  return rows.first()->integer(0);
}

} // namespace jobrunner::store
