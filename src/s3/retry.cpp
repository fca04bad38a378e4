#include "s3/retry.hpp"

#include <condition_variable>
#include <mutex>

namespace jobrunner::s3 {

void wait(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex guard;
  std::condition_variable_any never;
  std::unique_lock lock{guard};
  never.wait_for(lock, stop, time, [] { return false; });
  if (stop.stop_requested())
    throw stopped{};
}

} // namespace jobrunner::s3
