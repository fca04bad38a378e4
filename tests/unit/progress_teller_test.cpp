#include "actors/progress_teller.hpp"

#include <chrono>
#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>
#include <vector>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

/// What was passed on, by its bytes.
class listener {
public:
  progress_teller::told ear() {
    return [this](const transfer_report& r) {
      const std::lock_guard lock{guard_};
      heard_.push_back(r.bytes_done);
      changed_.notify_all();
    };
  }

  /// Within ten seconds.
  bool hears(std::int64_t bytes) {
    std::unique_lock lock{guard_};
    return changed_.wait_for(lock, 10s, [&] { return !heard_.empty() && heard_.back() == bytes; });
  }

  std::vector<std::int64_t> heard() {
    const std::lock_guard lock{guard_};
    return heard_;
  }

private:
  std::mutex guard_;
  std::condition_variable changed_;
  std::vector<std::int64_t> heard_;
};

transfer_report with(std::int64_t bytes) {
  transfer_report r;
  r.bytes_done = bytes;
  return r;
}

} // namespace

TEST(progress_teller, the_last_report_is_told_although_nothing_follows_it) {
  listener all;
  progress_teller teller{50ms, all.ear()};
  for (int n = 1; n <= 100; ++n)
    teller.tell(with(n));
  EXPECT_TRUE(all.hears(100));
  EXPECT_LT(all.heard().size(), 10U) << "not each of them";
}

TEST(progress_teller, the_first_report_is_told_at_once_and_the_next_after_the_pause) {
  listener all;
  progress_teller teller{200ms, all.ear()};
  teller.tell(with(1));
  ASSERT_TRUE(all.hears(1));
  const auto began = std::chrono::steady_clock::now();
  teller.tell(with(2));
  ASSERT_TRUE(all.hears(2));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 100ms);
}

TEST(progress_teller, its_end_does_not_wait_and_loses_nothing) {
  listener all;
  {
    progress_teller teller{1h, all.ear()};
    teller.tell(with(1));
    ASSERT_TRUE(all.hears(1));
    teller.tell(with(2));
  }
  EXPECT_EQ(all.heard(), (std::vector<std::int64_t>{1, 2}));
}

} // namespace jobrunner
