// One more thread, for what can go on beside its owner.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace jobrunner {

class worker {
public:
  worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker(); // what has been started is done first

  /// Does `f` on the thread. Only after wait(); what `f` uses must live until the next wait().
  void start(std::function<void()> f);

  /// Until it is done; throws what it threw.
  void wait();

private:
  void run();

  std::mutex lock_;
  std::condition_variable changed_;
  std::function<void()> task_; // empty: nothing to do
  std::exception_ptr failed_;
  bool ends_ = false;
  std::thread thread_; // the last member: it uses the others
};

} // namespace jobrunner
