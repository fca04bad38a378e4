#include "actors/event_reader.hpp"

#include "actors/errors.hpp"
#include "store/events.hpp"
#include "store/jobs.hpp"
#include "store/schema.hpp"

#include <memory>

namespace jobrunner {

namespace {

struct event_tables {
  explicit event_tables(const services& with)
      : db(store::open(with.settings.root)),
        jobs(db),
        events(db) {}
  sqlite::database db;
  store::jobs jobs;
  store::events events;
};

job_event present_state(const job& j) {
  return {0,       j.id,   j.seq,    "state",
          j.state, j.done, j.reason, j.ended_at.value_or(j.started_at.value_or(j.created_at))};
}

event_page read_events(event_tables& t, const event_query& q) {
  if (q.job_id == 0)
    return {t.events.after(q.after, q.limit), t.events.largest(), false};
  // The job first: an event that is committed meanwhile is one more, not one that seems to lack.
  const auto j = t.jobs.find(q.job_id);
  if (!j)
    throw failure(errc::not_found, "no job has the id " + std::to_string(q.job_id));
  event_page page{t.events.of_job_after(q.job_id, q.after, q.limit), j->seq, false};
  if (page.items.empty() && j->seq > q.after && q.limit > 0)
    page.items.push_back(present_state(*j));
  page.over = j->done && j->indexed && (page.items.empty() || page.items.back().seq >= j->seq);
  return page;
}

} // namespace

event_actor::behavior_type event_reader(event_actor::pointer, const services& with) {
  const auto t = std::make_shared<event_tables>(with);
  return {[t](atom::list, const event_query& q) -> caf::result<event_page> {
    return answer([&] { return read_events(*t, q); });
  }};
}

} // namespace jobrunner
