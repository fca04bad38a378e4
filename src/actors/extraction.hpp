// How to run extractors, from what the actors share.
#pragma once

#include "actors/services.hpp"
#include "archive/ingest.hpp"

namespace jobrunner {

inline archive::extraction extraction_of(const services& with) {
  return archive::extraction_of(with.extractors, with.settings);
}

} // namespace jobrunner
