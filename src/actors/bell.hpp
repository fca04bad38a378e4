// Wakes the poller. Rings that come before it looks are one.
#pragma once

#include <functional>
#include <mutex>

namespace jobrunner {

class bell {
public:
  /// From any thread.
  void ring();
  /// What a ring does, at most once until heard(); an empty function: nothing. It must not block.
  void on_ring(std::function<void()> wake);
  /// The next ring counts again. Call it before looking.
  void heard();

private:
  std::mutex guard_;
  std::function<void()> wake_;
  bool rung_ = false;
};

} // namespace jobrunner
