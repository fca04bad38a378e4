#include "actors/webhook_queue.hpp"

#include <algorithm>

namespace jobrunner {

void webhook_queue::add(std::int64_t job, const std::string& name, timestamp due) {
  if (jobs_.contains(job))
    return;
  const auto to = receivers_.try_emplace(name).first;
  to->second.waiting.emplace(due, job);
  jobs_.emplace(job, to);
}

bool webhook_queue::has_room(const receiver& r) const {
  if (r.waiting.empty() || busy_ >= senders_)
    return false;
  if (r.known == standing::good)
    return r.busy < std::max(1U, senders_ / 4);
  return r.busy == 0 &&
         (r.known == standing::unknown || busy_with_failing_ < std::max(1U, senders_ / 2));
}

std::optional<std::int64_t> webhook_queue::take(timestamp now) {
  receiver* first = nullptr;
  for (auto& [name, r] : receivers_)
    if (has_room(r) && r.ready() <= now && (!first || r.ready() < first->ready()))
      first = &r;
  if (!first)
    return std::nullopt;
  const auto job = first->waiting.begin()->second;
  first->waiting.erase(first->waiting.begin());
  ++first->busy;
  ++busy_;
  busy_with_failing_ += first->known == standing::failing ? 1 : 0;
  return job;
}

void webhook_queue::done(std::int64_t job, bool heard, std::optional<timestamp> next,
                         timestamp pause) {
  const auto found = jobs_.find(job);
  const auto to = found->second;
  auto& r = to->second;
  busy_with_failing_ -= r.known == standing::failing ? r.busy : 0;
  --r.busy;
  --busy_;
  r.known = heard ? standing::good : standing::failing;
  busy_with_failing_ += r.known == standing::failing ? r.busy : 0;
  r.pause = std::max(r.pause, pause);
  if (next)
    r.waiting.emplace(*next, job);
  else
    jobs_.erase(found);
  if (r.waiting.empty() && r.busy == 0)
    receivers_.erase(to);
}

std::optional<timestamp> webhook_queue::next() const {
  std::optional<timestamp> first;
  for (const auto& [name, r] : receivers_)
    if (has_room(r) && (!first || r.ready() < *first))
      first = r.ready();
  return first;
}

} // namespace jobrunner
