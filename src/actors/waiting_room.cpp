#include "actors/waiting_room.hpp"

#include <vector>

namespace jobrunner {

waiting_room::waiting_room(std::function<void(const caf::actor_addr&)> leave)
    : leave_(std::move(leave)) {}

void waiting_room::add(const event_wait& what, const caf::actor_addr& asker, promise reply,
                       moment until) {
  waiting_.insert_or_assign(asker.id(), waiter{what, asker, std::move(reply), until});
  by_job_.emplace(what.job_id, asker.id());
  by_time_.emplace(until, asker.id());
}

void waiting_room::settle(std::int64_t job_id, std::int64_t newest, bool ended) {
  std::vector<caf::actor_id> over;
  for (auto it = by_job_.lower_bound({job_id, 0}); it != by_job_.end() && it->first == job_id;
       ++it) {
    const auto& what = waiting_.at(it->second).what;
    if (newest > what.after && (ended || !what.end_only))
      over.push_back(it->second);
  }
  for (const auto asker : over)
    answer(asker, newest);
}

void waiting_room::expire(moment now) {
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    const auto asker = by_time_.begin()->second;
    answer(asker, waiting_.at(asker).what.after);
  }
}

std::optional<waiting_room::moment> waiting_room::first_deadline() const {
  return by_time_.empty() ? std::nullopt : std::optional{by_time_.begin()->first};
}

void waiting_room::gone(const caf::actor_addr& asker) {
  const auto it = waiting_.find(asker.id());
  if (it == waiting_.end())
    return;
  by_job_.erase({it->second.what.job_id, asker.id()});
  by_time_.erase({it->second.until, asker.id()});
  waiting_.erase(it);
}

void waiting_room::answer(caf::actor_id asker, std::int64_t number) {
  auto node = waiting_.extract(asker);
  auto& one = node.mapped();
  by_job_.erase({one.what.job_id, asker});
  by_time_.erase({one.until, asker});
  leave_(one.asker);
  one.reply.deliver(number);
}

} // namespace jobrunner
