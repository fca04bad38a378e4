// How long to wait before another try at something that may work later.
#pragma once

#include <chrono>

namespace jobrunner {

struct backoff {
  std::chrono::milliseconds first, longest; // pauses
};

/// The pause before try number `next` (the second is 1): it doubles up to the longest, and half of
/// it is left to chance (`random` from 0 to 1), so that many do not come back at once.
std::chrono::milliseconds pause_before(unsigned next, double random, const backoff&);

/// A random number from 0 to 1.
double chance();

} // namespace jobrunner
