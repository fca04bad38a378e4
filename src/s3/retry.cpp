#include "s3/retry.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>

namespace jobrunner::s3 {

std::chrono::milliseconds pause_before(unsigned next, double random, const patience& how) {
  const auto doublings = std::min(next > 0 ? next - 1 : 0U, 20U);
  const auto whole =
      std::min(std::chrono::milliseconds{how.first * (1LL << doublings)}, how.longest);
  const auto ms = static_cast<double>(whole.count()) * (0.5 + random / 2);
  return std::chrono::milliseconds{static_cast<std::int64_t>(ms)};
}

double chance() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>{0, 1}(engine);
}

void wait(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex guard;
  std::condition_variable_any never;
  std::unique_lock lock{guard};
  never.wait_for(lock, stop, time, [] { return false; });
  if (stop.stop_requested())
    throw stopped{};
}

} // namespace jobrunner::s3
