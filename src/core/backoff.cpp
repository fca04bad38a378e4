#include "core/backoff.hpp"

#include <algorithm>
#include <cstdint>
#include <random>

namespace jobrunner {

std::chrono::milliseconds pause_before(unsigned next, double random, const backoff& how) {
  const auto doublings = std::min(next > 0 ? next - 1 : 0U, 30U);
  const auto whole =
      std::min(std::chrono::milliseconds{how.first.count() * (1LL << doublings)}, how.longest);
  const auto ms = static_cast<double>(whole.count()) * (0.5 + random / 2);
  return std::chrono::milliseconds{static_cast<std::int64_t>(ms)};
}

double chance() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>{0, 1}(engine);
}

} // namespace jobrunner
