#include "actors/look_pace.hpp"

#include <algorithm>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr look_pace::span first_pause = 5ms, longest_pause = 3s;
constexpr int share = 10; // a tenth of the time goes into looking, however large the queue is
constexpr int rests = 11; // pauses as long as the look: squeue, we and the registry overlap
constexpr look_pace::span most_spare = 200ms;
constexpr look_pace::span most_owed = longest_pause / share; // a Slurm that was down for long

} // namespace

look_pace::span look_pace::rest(moment now) {
  spare_ = std::min(spare_ + (now - counted_) / share, most_spare);
  counted_ = now;
  return std::max(-spare_ * share, span{});
}

look_pace::span look_pace::hinted(moment now) {
  quick_ = first_pause;
  return rest(now);
}

look_pace::span look_pace::looked(moment now, span cost, bool moving) {
  // One quick look after slow ones was at the nodes, or in luck.
  usual_ =
      std::clamp(std::max(rests * cost, usual_ / 2), interval_, std::max(interval_, longest_pause));
  rest(now);
  spare_ = std::max(spare_ - cost, -most_owed);
  if (!moving || quick_ == span{} || quick_ >= usual_)
    return usual_;
  const auto pause = std::max(quick_, rest(now));
  quick_ *= 2;
  return std::min(pause, usual_);
}

} // namespace jobrunner
