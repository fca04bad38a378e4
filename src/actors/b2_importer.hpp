#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <type_traits>

namespace jobrunner {

struct importer_state {
  importer_state() = default; // not an aggregate: CAF 0.17.6 would fill it from `self`
  std::size_t running = 0;
  static constexpr auto name = "b2_importer";
};
static_assert(!std::is_aggregate_v<importer_state>);

/// Transfers from B2 and S3: today files below their mount, each copied by a detached actor of its
/// own, which ends with it. This one only counts and routes, so it need not be detached.
importer_actor::behavior_type b2_importer(importer_actor::stateful_pointer<importer_state> self,
                                          const services& with, const dataset_actor& datasets);

} // namespace jobrunner
