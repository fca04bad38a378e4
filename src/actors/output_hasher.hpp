#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <type_traits>

namespace jobrunner {

struct hasher_state {
  hasher_state(); // not an aggregate: CAF would fill it from `self`
  ~hasher_state();
  struct work;
  std::unique_ptr<work> it;
  static constexpr auto name = "output_hasher";
};
static_assert(!std::is_aggregate_v<hasher_state>);

/// Gives every indexed output its SHA-256, one file after the other, also those that a restart
/// found without. Spawn it detached: it reads.
hasher_actor::behavior_type output_hasher(hasher_actor::stateful_pointer<hasher_state> self,
                                          const services& with);

} // namespace jobrunner
