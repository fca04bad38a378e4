// Hears when Slurm's completion log grows, by inotify. What is written there is not read: that a
// job's name could forge it does not matter.
#pragma once

#include "core/unique_fd.hpp"

#include <filesystem>
#include <functional>
#include <thread>

namespace jobrunner::slurm {

class log_watch {
public:
  /// Calls `grown` (from a thread of its own, which it should not block) when the file has changed,
  /// also when another file has taken its place. Throws failure where the kernel gives no inotify,
  /// or the file is not there.
  log_watch(std::filesystem::path file, std::function<void()> grown);
  log_watch(const log_watch&) = delete;
  log_watch& operator=(const log_watch&) = delete;
  ~log_watch();

private:
  bool watch();
  void run();

  std::filesystem::path file_;
  std::function<void()> grown_;
  unique_fd events_, stop_;
  int watched_ = -1;
  std::thread thread_;
};

} // namespace jobrunner::slurm
