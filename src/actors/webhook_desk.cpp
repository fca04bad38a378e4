#include "actors/webhook_desk.hpp"

#include "core/backoff.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "store/schema.hpp"
#include "webhook/schedule.hpp"

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr auto row_again_after = 5s; // where the database does not take it, on a full disk say
constexpr std::chrono::milliseconds longest_retry_after = 1h; // of a receiver that asks for one
constexpr int gone = 410;

/// All URLs that name no receiver any more, since the configuration changed, wait in one line.
std::string receiver_of(const std::string& url, const address_guard& guard) {
  try {
    return webhook::receiver_of(url, guard);
  } catch (const failure&) {
    return {};
  }
}

} // namespace

webhook_desk::webhook_desk(const config& settings, starter start)
    : settings_(settings),
      start_(std::move(start)),
      db_(store::open(settings.root)),
      events_(db_),
      rows_(db_),
      queue_(settings.webhooks.senders) {
  for (const auto& w : rows_.due())
    add(w);
}

void webhook_desk::add(const store::webhook& w) {
  if (w.due)
    queue_.add(w.job_id, receiver_of(w.url, settings_.outside), *w.due);
}

void webhook_desk::hint(std::int64_t job_id) {
  if (const auto w = rows_.find(job_id))
    add(*w);
}

void webhook_desk::send_due(timestamp now) {
  while (const auto job_id = queue_.take(now)) {
    try {
      if (!send(*job_id))
        queue_.done(*job_id, true, std::nullopt);
    } catch (const failure& f) {
      log("webhooks", "not_read", {{"job", std::to_string(*job_id)}, {"why", f.what()}});
      queue_.done(*job_id, true, now + row_again_after);
    }
  }
}

/// Whether there is something to send.
bool webhook_desk::send(std::int64_t job_id) {
  const auto w = rows_.find(job_id);
  if (!w || !w->due)
    return false; // the job is deleted
  const auto events = events_.of_job_after(job_id, w->delivered, 1);
  if (events.empty())
    return false;
  start_({job_id, events.front().seq, w->url, webhook::message_of(events.front(), w->uuid)});
  return true;
}

void webhook_desk::answered(const webhook::delivery& d, const webhook::answer& a, timestamp now) {
  std::optional<timestamp> next;
  try {
    next = keep(d, a, now);
  } catch (const failure& f) { // so it is sent once more
    log("webhooks", "not_kept", {{"job", std::to_string(d.job_id)}, {"why", f.what()}});
    next = now + row_again_after;
  }
  const auto pause = std::min<std::chrono::milliseconds>(a.retry_after, longest_retry_after);
  queue_.done(d.job_id, a.status != 0, next, now + pause);
}

/// Writes down what became of a try; when the next is due.
std::optional<timestamp> webhook_desk::keep(const webhook::delivery& d, const webhook::answer& a,
                                            timestamp now) {
  if (a.error.empty())
    return rows_.delivered(d.job_id, d.seq, now);
  auto w = rows_.find(d.job_id);
  if (!w)
    return std::nullopt; // deleted meanwhile
  ++w->tries;
  w->first_try = w->first_try.value_or(now);
  w->error = a.error;
  w->due.reset();
  if (a.status == gone)
    w->state = store::webhook_state::stopped;
  else
    w->due = webhook::next_try({static_cast<unsigned>(w->tries), *w->first_try, now, a.retry_after},
                               chance(), settings_.webhooks.give_up);
  if (a.status != gone && !w->due)
    w->state = store::webhook_state::failed;
  rows_.update(*w);
  log("webhooks", w->due ? "not_taken" : "given_up",
      {{"job", std::to_string(d.job_id)},
       {"seq", std::to_string(d.seq)},
       {"tries", std::to_string(w->tries)},
       {"why", a.error}});
  return w->due;
}

webhook_view webhook_desk::view(std::int64_t job_id) {
  const auto w = rows_.find(job_id);
  if (!w)
    return {}; // its first event is about to be written
  webhook_view v;
  switch (w->state) {
    case store::webhook_state::stopped:
      v.state = "stopped";
      break;
    case store::webhook_state::failed:
      v.state = "failed";
      break;
    case store::webhook_state::open:
      v.state = w->due ? "pending" : "delivered";
      break;
  }
  v.delivered_seq = w->delivered;
  v.tries = w->tries;
  if (w->tries > 0)
    v.next_try = w->due;
  v.error = w->error;
  return v;
}

} // namespace jobrunner
