#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace jobrunner {

/// Removes the files of jobs that were deleted, those too that a crash left. Spawn it detached: a
/// result folder may hold a million files.
remover_actor::behavior_type job_remover(remover_actor::pointer self, const services& with);

} // namespace jobrunner
