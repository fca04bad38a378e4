#include "store/webhooks.hpp"

#include "store/times.hpp"

namespace jobrunner::store {

namespace {

#define SELECT_WEBHOOK                                                                             \
  "SELECT w.job_id, webhook_url, uuid, delivered, tries, first_try, due, w.state, error "          \
  "FROM webhooks w JOIN jobs j ON j.job_id = w.job_id "

webhook read_webhook(const sqlite::row& r) {
  return {r.integer(0), r.text(1),    r.text(2),    r.integer(3),
          r.integer(4), moment(r, 5), moment(r, 6), static_cast<webhook_state>(r.integer(7)),
          r.text(8)};
}

} // namespace

webhooks::webhooks(sqlite::database& db)
    : note_(db, "INSERT INTO webhooks(job_id, due) VALUES(?,?) ON CONFLICT(job_id) "
                "DO UPDATE SET due=excluded.due WHERE due IS NULL AND state=0"),
      due_(db, SELECT_WEBHOOK "WHERE due IS NOT NULL"),
      find_(db, SELECT_WEBHOOK "WHERE w.job_id=?"),
      delivered_(db, "UPDATE webhooks SET delivered=?2, tries=0, first_try=NULL, error='', "
                     "due=CASE WHEN EXISTS(SELECT 1 FROM events WHERE job_id=?1 AND seq>?2) "
                     "THEN ?3 END WHERE job_id=?1 RETURNING due"),
      update_(db, "UPDATE webhooks SET tries=?, first_try=?, due=?, state=?, error=? "
                  "WHERE job_id=?") {}

void webhooks::note(std::int64_t job_id, timestamp at) {
  note_(job_id, milliseconds(at));
}

std::vector<webhook> webhooks::due() {
  std::vector<webhook> all;
  for (auto r : due_())
    all.push_back(read_webhook(r));
  return all;
}

std::optional<webhook> webhooks::find(std::int64_t job_id) {
  auto rows = find_(job_id);
  const auto row = rows.first();
  return row ? std::optional{read_webhook(*row)} : std::nullopt;
}

std::optional<timestamp> webhooks::delivered(std::int64_t job_id, std::int64_t seq, timestamp at) {
  auto rows = delivered_(job_id, seq, milliseconds(at));
  const auto row = rows.first();
  return row ? moment(*row, 0) : std::nullopt;
}

void webhooks::update(const webhook& w) {
  update_(w.tries, milliseconds(w.first_try), milliseconds(w.due),
          static_cast<std::int64_t>(w.state), w.error, w.job_id);
}

} // namespace jobrunner::store
