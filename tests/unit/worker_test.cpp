#include "core/worker.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>

namespace jobrunner {

namespace {

TEST(worker, works_on_a_thread_of_its_own_one_piece_after_the_other) {
  worker w;
  std::thread::id where;
  int sum = 0;
  for (int i = 1; i <= 1000; ++i) {
    w.start([&, i] {
      where = std::this_thread::get_id();
      sum += i;
    });
    w.wait();
  }
  EXPECT_EQ(sum, 500500);
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(worker, what_is_thrown_there_is_thrown_by_wait_once) {
  worker w;
  w.start([] { throw std::runtime_error("there"); });
  EXPECT_THROW(w.wait(), std::runtime_error);
  EXPECT_NO_THROW(w.wait());
  int done = 0;
  w.start([&] { ++done; });
  w.wait();
  EXPECT_EQ(done, 1);
}

TEST(worker, what_was_started_is_done_before_it_goes) {
  std::atomic<bool> done{false};
  {
    worker w;
    w.start([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
      done = true;
    });
  }
  EXPECT_TRUE(done);
}

TEST(worker, one_without_work_ends) {
  const worker w;
}

} // namespace

} // namespace jobrunner
