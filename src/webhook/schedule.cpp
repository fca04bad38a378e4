#include "webhook/schedule.hpp"

#include "core/backoff.hpp"

#include <algorithm>

namespace jobrunner::webhook {

using namespace std::chrono_literals;

namespace {
constexpr std::chrono::milliseconds first_pause = 1s, longest_pause = 1h;
}

std::optional<timestamp> next_try(const attempt& a, double random, std::chrono::seconds give_up) {
  if (a.now - a.first >= give_up)
    return std::nullopt;
  const auto pause = std::max(pause_before(a.tries, random, {first_pause, longest_pause}),
                              std::clamp<std::chrono::milliseconds>(a.asked, 0s, longest_pause));
  return std::min<timestamp>(a.now + pause, a.first + give_up);
}

} // namespace jobrunner::webhook
