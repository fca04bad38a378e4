// Brings the events of jobs to their webhooks: each at least once, in the job's order, again and
// again until the receiver takes it or time is up. What is to be done is in the rows, so a crash
// loses nothing; this is who looks at them and decides. It never speaks to a receiver itself.
#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"
#include "actors/webhook_queue.hpp"
#include "core/sqlite.hpp"
#include "store/events.hpp"
#include "store/webhooks.hpp"
#include "webhook/sending.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <vector>

namespace jobrunner {

class webhook_desk {
public:
  /// Starts a try, whose answer comes to answered().
  using starter = std::function<void(const webhook::delivery&)>;

  webhook_desk(const config& settings, starter start);

  void hint(std::int64_t job_id); // it has an event more
  void send_due(timestamp now);
  void answered(const webhook::delivery&, const webhook::answer&, timestamp now);

  /// When send_due has something to do next; nothing: not before a hint or an answer.
  std::optional<timestamp> next() const { return queue_.next(); }

  webhook_view view(std::int64_t job_id);

private:
  void add(const store::webhook&);
  bool send(std::int64_t job_id);
  std::optional<timestamp> keep(const webhook::delivery&, const webhook::answer&, timestamp now);

  const config& settings_;
  starter start_;
  sqlite::database db_;
  store::events events_;
  store::webhooks rows_;
  webhook_queue queue_;
};

/// Sends, one at a time.
using webhook_sender =
    caf::typed_actor<caf::replies_to<atom::submit, webhook::delivery>::with<webhook::answer>>;

struct webhook_desk_state {
  webhook_desk_state() = default; // not an aggregate: CAF would fill it from `self`
  webhook_desk_state(const webhook_desk_state&) = delete;
  webhook_desk_state& operator=(const webhook_desk_state&) = delete;
  ~webhook_desk_state() { stop.request_stop(); }
  std::unique_ptr<webhook_desk> it;
  std::vector<webhook_sender> idle;
  std::stop_source stop; // of the senders
  std::optional<timestamp> alarm;
  static constexpr auto name = "webhook_desk";
};
static_assert(!std::is_aggregate_v<webhook_desk_state>);

/// Spawn it detached: it commits.
webhook_actor::behavior_type
webhook_desk_actor(webhook_actor::stateful_pointer<webhook_desk_state> self, const services& with);

} // namespace jobrunner

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::webhook::delivery)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::webhook::answer)
