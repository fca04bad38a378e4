// Who waits for something to happen: a small entry each, no timer, thread or buffer of its own.
#pragma once

#include "actors/api.hpp"

#include <caf/actor_addr.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace jobrunner {

/// Waits are for a number to grow: a job's sequence number, or with the id 0 that of all events.
/// For the thread of one actor, who keeps one clock for all of them.
class waiting_room {
public:
  using promise = caf::typed_response_promise<std::int64_t>;
  using moment = std::chrono::steady_clock::time_point;

  /// `leave` is called for each asker before it is answered: whoever monitors it need not any more.
  explicit waiting_room(std::function<void(const caf::actor_addr&)> leave);

  /// Each asker waits once.
  void add(const event_wait&, const caf::actor_addr& asker, promise reply, moment until);

  /// The number of that job (0: of all events) is `newest` now: answers those who wait for it.
  void settle(std::int64_t job_id, std::int64_t newest, bool ended);

  /// Answers those whose patience is over by `now` with the number they know.
  void expire(moment now);

  std::optional<moment> first_deadline() const; // none: nobody waits
  void gone(const caf::actor_addr& asker);      // its client hung up
  std::size_t size() const noexcept { return waiting_.size(); }

private:
  struct waiter {
    event_wait what;
    caf::actor_addr asker;
    promise reply;
    moment until;
  };
  void answer(caf::actor_id asker, std::int64_t number);
  std::function<void(const caf::actor_addr&)> leave_;
  std::unordered_map<caf::actor_id, waiter> waiting_; // by asker
  std::set<std::pair<std::int64_t, caf::actor_id>> by_job_;
  std::set<std::pair<moment, caf::actor_id>> by_time_;
};

} // namespace jobrunner
