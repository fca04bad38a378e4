#include "core/error.hpp"
#include "slurm/log_watch.hpp"
#include "temp_folder.hpp"

#include <atomic>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>

namespace jobrunner::slurm {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct log_watch_test : testing::Test {
  temp_folder dir;
  fs::path log = dir.put("jobcomp.log", "");
  std::atomic<int> heard = 0;

  void add(const char* line) { std::ofstream{log, std::ios::app} << line << std::endl; }
  bool hears_of(const std::function<void()>& change) {
    const int before = heard;
    change();
    for (const auto end = std::chrono::steady_clock::now() + 10s;
         heard == before && std::chrono::steady_clock::now() < end;)
      std::this_thread::sleep_for(1ms);
    return heard > before;
  }
};

TEST_F(log_watch_test, each_line_is_heard) {
  const log_watch watch{log, [this] { ++heard; }};
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(hears_of([this] { add("JobId=7"); }));
}

TEST_F(log_watch_test, a_log_that_was_rotated_is_heard_again) {
  const log_watch watch{log, [this] { ++heard; }};
  EXPECT_TRUE(hears_of([this] { fs::rename(log, dir / "jobcomp.log.1"); }));
  EXPECT_TRUE(hears_of([this] { add("JobId=8"); })); // within a second
  EXPECT_TRUE(hears_of([this] { add("JobId=9"); }));
}

TEST_F(log_watch_test, nothing_happens_while_nothing_is_written) {
  const log_watch watch{log, [this] { ++heard; }};
  fs::permissions(log, fs::perms{0640}); // looks again, once
  std::this_thread::sleep_for(100ms);
  EXPECT_LE(heard, 2);
}

TEST_F(log_watch_test, a_log_that_is_not_there_is_said) {
  EXPECT_THROW(log_watch(dir / "other.log", [] {}), failure);
}

} // namespace

} // namespace jobrunner::slurm
