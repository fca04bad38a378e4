#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <type_traits>

namespace jobrunner {

struct poller_state {
  poller_state() = default; // not an aggregate: CAF 0.17.6 would fill it from `self`
  int looks_since_capacity = 0;
  bool telling = false; // the registry has not answered to the last look yet
  static constexpr auto name = "slurm_poller";
};
static_assert(!std::is_aggregate_v<poller_state>);

/// The clock: asks Slurm once a tick, whatever the number of jobs, publishes how Slurm is and tells
/// the registry what it saw. It decides nothing. Spawn it detached: a call may take 15 s.
poller_actor::behavior_type slurm_poller(poller_actor::stateful_pointer<poller_state> self,
                                         const services& with, const job_actor& registry);

} // namespace jobrunner
