#include "core/worker.hpp"

#include <utility>

namespace jobrunner {

worker::worker() : thread_([this] { run(); }) {}

worker::~worker() {
  {
    const std::lock_guard held{lock_};
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void worker::start(std::function<void()> f) {
  {
    const std::lock_guard held{lock_};
    task_ = std::move(f);
  }
  changed_.notify_all();
}

void worker::wait() {
  std::unique_lock held{lock_};
  changed_.wait(held, [this] { return !task_; });
  if (failed_)
    std::rethrow_exception(std::exchange(failed_, nullptr));
}

void worker::run() {
  std::unique_lock held{lock_};
  for (;;) {
    changed_.wait(held, [this] { return task_ || ends_; });
    if (!task_)
      return;
    held.unlock();
    std::exception_ptr failed;
    try {
      task_();
    } catch (...) {
      failed = std::current_exception();
    }
    held.lock();
    failed_ = failed;
    task_ = nullptr;
    changed_.notify_all();
  }
}

} // namespace jobrunner
