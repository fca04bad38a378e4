#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace jobrunner {

/// Reads lists of jobs from the database, so that a long one keeps the registry from nothing. Spawn
/// it detached.
job_list_actor::behavior_type job_lists(job_list_actor::pointer self, const services& with);

} // namespace jobrunner
