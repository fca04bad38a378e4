#include "actors/transfer_waiters.hpp"

namespace jobrunner {

bool satisfied(const transfer_wait& w, const transfer& now) {
  return now.done || w.patience.count() <= 0 || (w.since_seq && *w.since_seq != now.seq);
}

std::uint64_t transfer_waiters::add(const transfer_wait& what, const caf::actor_addr& asker,
                                    promise reply) {
  const auto key = next_++;
  waiting_.emplace(key, waiter{what, asker, std::move(reply)});
  return key;
}

void transfer_waiters::settle(const transfer& now) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    auto& w = it->second;
    if (w.what.id == now.id && satisfied(w.what, now)) {
      w.reply.deliver(now);
      it = waiting_.erase(it);
    } else {
      ++it;
    }
  }
}

void transfer_waiters::expire(std::uint64_t key, const transfer& now) {
  if (const auto found = waiting_.find(key); found != waiting_.end()) {
    found->second.reply.deliver(now);
    waiting_.erase(found);
  }
}

std::optional<std::string> transfer_waiters::transfer_of(std::uint64_t key) const {
  const auto found = waiting_.find(key);
  return found == waiting_.end() ? std::nullopt : std::optional{found->second.what.id};
}

void transfer_waiters::gone(const caf::actor_addr& asker) {
  std::erase_if(waiting_, [&](const auto& entry) { return entry.second.asker == asker; });
}

} // namespace jobrunner
