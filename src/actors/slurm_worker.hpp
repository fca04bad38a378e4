#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace jobrunner {

/// Submits and cancels. Spawn several, detached: each call may take as long as Slurm lets it.
slurm_actor::behavior_type slurm_worker(slurm_actor::pointer self, const services& with);

} // namespace jobrunner
