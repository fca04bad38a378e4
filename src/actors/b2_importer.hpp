#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"
#include "actors/transfer_desk.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <set>
#include <type_traits>

namespace jobrunner {

struct importer_state {
  importer_state() = default;          // not an aggregate: CAF 0.17.6 would fill it from `self`
  std::set<caf::actor_addr> copies;    // of files, under way
  std::unique_ptr<transfer_desk> desk; // goes when the actor exits, and stops its tasks
  static constexpr auto name = "b2_importer";
};
static_assert(!std::is_aggregate_v<importer_state>);

/// Files from the bucket's mount, and transfers from and to buckets, each done by a detached actor
/// of its own, which ends with it. This one counts, routes and keeps the rows: spawn it detached.
importer_actor::behavior_type b2_importer(importer_actor::stateful_pointer<importer_state> self,
                                          const services& with, const dataset_actor& datasets,
                                          const job_actor& jobs);

} // namespace jobrunner
