#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace jobrunner {

/// Reads pages of events, so that slow readers of long histories keep the registry from nothing.
/// Spawn it detached: it reads the database.
event_actor::behavior_type event_reader(event_actor::pointer self, const services& with);

} // namespace jobrunner
