#include "actors/job_waiters.hpp"

namespace jobrunner {

bool satisfied(const job_wait& w, const job& now) {
  if (now.done || w.patience.count() <= 0)
    return true;
  if (w.since_state && *w.since_state != now.state)
    return true;
  return w.since_seq && *w.since_seq != now.seq;
}

std::uint64_t job_waiters::add(const job_wait& what, const caf::actor_addr& asker, promise reply) {
  const auto key = next_++;
  waiting_.emplace(key, waiter{what, asker, std::move(reply)});
  by_job_.emplace(what.id, key);
  by_asker_[asker.id()] = key;
  return key;
}

void job_waiters::settle(const job& now) {
  const auto [first, last] = by_job_.equal_range(now.id);
  std::vector<std::uint64_t> over;
  for (auto it = first; it != last; ++it)
    if (satisfied(waiting_.at(it->second).what, now))
      over.push_back(it->second);
  for (const auto key : over)
    expire(key, now);
}

void job_waiters::expire(std::uint64_t key, const job& now) {
  if (const auto it = waiting_.find(key); it != waiting_.end()) {
    it->second.reply.deliver(now);
    erase(key);
  }
}

std::optional<std::int64_t> job_waiters::job_of(std::uint64_t key) const {
  const auto it = waiting_.find(key);
  return it == waiting_.end() ? std::nullopt : std::optional{it->second.what.id};
}

void job_waiters::gone(const caf::actor_addr& asker) {
  if (const auto it = by_asker_.find(asker.id()); it != by_asker_.end())
    erase(it->second);
}

void job_waiters::erase(std::uint64_t key) {
  const auto it = waiting_.find(key);
  const auto [first, last] = by_job_.equal_range(it->second.what.id);
  for (auto entry = first; entry != last; ++entry)
    if (entry->second == key) {
      by_job_.erase(entry);
      break;
    }
  by_asker_.erase(it->second.asker.id());
  waiting_.erase(it);
}

} // namespace jobrunner
