// Who waits for job_registry, and how they are told.
#include "actors/job_registry.hpp"
#include "core/error.hpp"

#include <algorithm>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_waiting = 100000;
constexpr auto together = 10ms; // deadlines so near to each other are met at once

} // namespace

caf::result<std::int64_t> job_registry::wait(const event_wait& what) {
  const auto j = what.job_id == 0 ? std::nullopt : std::optional{get(what.job_id)};
  const auto known = j ? j->seq : newest_event_;
  const bool news = known > what.after && (!what.end_only || !j || j->done);
  const auto asker = self_->current_sender();
  if (news)
    return known;
  if (what.patience <= 0ms || !asker)
    return what.after;
  if (waiting_.size() >= most_waiting)
    throw failure(errc::too_many,
                  std::to_string(waiting_.size()) + " clients wait already; ask without wait");
  auto promise = self_->make_response_promise<std::int64_t>();
  waiting_.add(what, asker->address(), promise, self_->clock().now() + what.patience);
  self_->monitor(asker->get());
  set_alarm();
  return promise;
}

void job_registry::expire() {
  if (alarm_ && self_->clock().now() < *alarm_)
    return; // it was set before the alarm that counts now, which looks itself
  alarm_.reset();
  waiting_.expire(self_->clock().now() + together);
  set_alarm();
}

/// One message for all who wait, at the first of their deadlines.
void job_registry::set_alarm() {
  const auto first = waiting_.first_deadline();
  if (!first || (alarm_ && *alarm_ <= *first))
    return;
  alarm_ = first;
  self_->delayed_send(
      self_, std::max<waiting_room::moment::duration>(*first - self_->clock().now(), together),
      atom::expire_v);
}

void job_registry::tell(const job& j, std::int64_t newest_event) {
  newest_event_ = std::max(newest_event_, newest_event);
  waiting_.settle(j.id, j.seq, j.done);
  waiting_.settle(0, newest_event_, true);
}

} // namespace jobrunner
