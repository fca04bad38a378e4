#include "actors/bell.hpp"

#include <utility>

namespace jobrunner {

void bell::ring() {
  const std::lock_guard lock{guard_};
  if (wake_ && !std::exchange(rung_, true))
    wake_();
}

void bell::on_ring(std::function<void()> wake) {
  const std::lock_guard lock{guard_};
  wake_ = std::move(wake);
  rung_ = false;
}

void bell::heard() {
  const std::lock_guard lock{guard_};
  rung_ = false;
}

} // namespace jobrunner
