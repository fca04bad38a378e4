#include "actors/progress_teller.hpp"

#include <utility>

namespace jobrunner {

progress_teller::progress_teller(std::chrono::milliseconds pause, told out)
    : pause_(pause),
      out_(std::move(out)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void progress_teller::tell(transfer_report r) {
  const std::lock_guard lock{guard_};
  newest_ = std::move(r);
  changed_.notify_all();
}

void progress_teller::run(const std::stop_token& stop) {
  std::unique_lock lock{guard_};
  while (changed_.wait(lock, stop, [&] { return newest_.has_value(); })) {
    const auto now = std::exchange(newest_, std::nullopt);
    lock.unlock();
    out_(*now);
    lock.lock();
    changed_.wait_for(lock, stop, pause_, [] { return false; });
  }
}

} // namespace jobrunner
