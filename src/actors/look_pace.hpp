// When to look at Slurm next: by a clock, sooner after a hint, and sooner while a job is on its way
// from one state to the next. Pure: its clock is its caller's.
#pragma once

#include <chrono>

namespace jobrunner {

class look_pace {
public:
  using moment = std::chrono::steady_clock::time_point;
  using span = std::chrono::nanoseconds;

  explicit look_pace(span interval) : interval_(interval) {}

  /// How long a hint that comes now must wait for its look: not at all, but where looks have taken
  /// more than a tenth of the time already. Looks that follow it are quick again.
  span hinted(moment now);

  /// The pause after a look that ended now and took `cost`. `moving`: it showed a job that will be
  /// in another state at once.
  span looked(moment now, span cost, bool moving);

private:
  span rest(moment now);

  span interval_;
  span usual_{};     // the pause where nothing moves, as last reckoned
  span quick_{};     // the next pause while something moves
  span spare_{};     // time that looks may take at once; below zero they have to wait
  moment counted_{}; // when it was that much
};

} // namespace jobrunner
