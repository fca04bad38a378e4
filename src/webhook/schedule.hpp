// When an event that a receiver did not take is sent again. Pure.
#pragma once

#include "core/time.hpp"

#include <chrono>
#include <optional>

namespace jobrunner::webhook {

/// What is known after a try in vain.
struct attempt {
  unsigned tries = 0;            // so far, at least 1
  timestamp first{}, now{};      // when the first was, and the last
  std::chrono::seconds asked{0}; // by the receiver, with Retry-After
};

/// From a second on twice as long each time up to an hour, half of it left to `random` (0 to 1);
/// not before the receiver asked for, within an hour. The last try is `give_up` after the first;
/// nothing: that was it.
std::optional<timestamp> next_try(const attempt&, double random, std::chrono::seconds give_up);

} // namespace jobrunner::webhook
