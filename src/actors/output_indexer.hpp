#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace jobrunner {

/// Writes the rows of outputs, and tells the hasher of them. Spawn it detached: it walks folders
/// and commits.
indexer_actor::behavior_type output_indexer(indexer_actor::pointer self, const services& with,
                                            const hasher_actor& hasher);

/// Reads the rows of outputs, so that a long index keeps no reader waiting. Detached too.
output_actor::behavior_type output_reader(output_actor::pointer self, const services& with);

} // namespace jobrunner
