#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <type_traits>

namespace jobrunner {

struct scrubber_state {
  scrubber_state(); // not an aggregate: CAF would fill it from `self`
  ~scrubber_state();
  struct work;
  std::unique_ptr<work> it;
  static constexpr auto name = "dataset_scrubber";
};
static_assert(!std::is_aggregate_v<scrubber_state>);

/// Hashes the files of datasets again: those that were asked for at once, and all others again and
/// again, so slowly that nobody notices. Spawn it detached: it reads.
scrubber_actor::behavior_type
dataset_scrubber(scrubber_actor::stateful_pointer<scrubber_state> self, const services& with,
                 const dataset_actor& datasets);

} // namespace jobrunner
