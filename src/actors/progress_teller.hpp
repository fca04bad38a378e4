// Progress at a pace that those who hear of it can keep up with.
#pragma once

#include "actors/api.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace jobrunner {

/// Passes on the newest of many reports, and then none for `pause`. The last one is always passed
/// on, however long nothing follows it: what is shown may be late, but never stays behind.
class progress_teller {
public:
  using told = std::function<void(const transfer_report&)>;

  /// `out` is called on a thread of the teller's own, and must not throw.
  progress_teller(std::chrono::milliseconds pause, told out);

  /// From any thread. Never waits for `out`.
  void tell(transfer_report);

private:
  void run(const std::stop_token&);
  std::chrono::milliseconds pause_;
  told out_;
  std::mutex guard_;
  std::condition_variable_any changed_;
  std::optional<transfer_report> newest_; // not yet passed on
  std::jthread thread_;                   // the last member: it uses the others
};

} // namespace jobrunner
