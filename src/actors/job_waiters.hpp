// Who waits for a job to change: one small entry each, no thread and no buffer.
#pragma once

#include "actors/api.hpp"

#include <caf/actor_addr.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <map>
#include <unordered_map>

namespace jobrunner {

/// Whether a wait is over for a job as it is now.
bool satisfied(const job_wait&, const job& now);

class job_waiters {
public:
  using promise = caf::typed_response_promise<job>;

  /// The key under which the wait can expire.
  std::uint64_t add(const job_wait&, const caf::actor_addr& asker, promise reply);
  void settle(const job& now);                    // answers those whose wait is over
  void expire(std::uint64_t key, const job& now); // answers with the job as it is
  std::optional<std::int64_t> job_of(std::uint64_t key) const;
  void gone(const caf::actor_addr& asker); // its client hung up
  std::size_t size() const noexcept { return waiting_.size(); }

private:
  struct waiter {
    job_wait what;
    caf::actor_addr asker;
    promise reply;
  };
  void erase(std::uint64_t key);
  std::unordered_map<std::uint64_t, waiter> waiting_;
  std::multimap<std::int64_t, std::uint64_t> by_job_;
  std::unordered_map<caf::actor_id, std::uint64_t> by_asker_;
  std::uint64_t next_ = 1;
};

} // namespace jobrunner
