#include "actors/webhook_queue.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

const timestamp start{1000h};

struct webhook_queue_test : testing::Test {
  webhook_queue queue{8};
  std::vector<std::int64_t> take_all(timestamp now) {
    std::vector<std::int64_t> taken;
    while (const auto job = queue.take(now))
      taken.push_back(*job);
    return taken;
  }
  /// A receiver that is known to be there.
  void good(const std::string& receiver) {
    queue.add(-1, receiver, start);
    queue.add(-2, receiver, start + 1000h); // keeps it known
    queue.take(start);
    queue.done(-1, true, std::nullopt);
  }
};

TEST_F(webhook_queue_test, a_job_is_sent_when_it_is_due_and_once_at_a_time) {
  queue.add(1, "a", start + 5s);
  queue.add(1, "a", start); // it waits already
  EXPECT_EQ(queue.next(), start + 5s);
  EXPECT_FALSE(queue.take(start + 4s));
  EXPECT_EQ(queue.take(start + 5s), 1);
  queue.add(1, "a", start); // it is being sent
  EXPECT_FALSE(queue.take(start + 6s));
  EXPECT_FALSE(queue.next());
  queue.done(1, true, start + 9s);
  EXPECT_EQ(queue.next(), start + 9s);
  EXPECT_EQ(queue.take(start + 9s), 1);
  queue.done(1, true, std::nullopt);
  EXPECT_FALSE(queue.next());
  queue.add(1, "a", start + 10s);
  EXPECT_EQ(queue.take(start + 10s), 1);
}

TEST_F(webhook_queue_test, who_has_waited_longest_is_first) {
  queue.add(1, "a", start + 2s);
  queue.add(2, "b", start + 1s);
  queue.add(3, "c", start + 3s);
  EXPECT_EQ(take_all(start + 3s), (std::vector<std::int64_t>{2, 1, 3}));
}

TEST_F(webhook_queue_test, an_unknown_receiver_gets_one_try_and_a_good_one_a_quarter_of_all) {
  for (std::int64_t job = 1; job <= 20; ++job)
    queue.add(job, "a", start);
  EXPECT_EQ(take_all(start), (std::vector<std::int64_t>{1}));
  queue.done(1, true, std::nullopt);
  EXPECT_EQ(take_all(start), (std::vector<std::int64_t>{2, 3}));
}

TEST_F(webhook_queue_test, receivers_that_are_not_there_hold_half_of_the_senders_at_most) {
  for (std::int64_t r = 0; r < 20; ++r) {
    queue.add(r, "dead" + std::to_string(r), start);
    queue.add(100 + r, "dead" + std::to_string(r), start);
  }
  for (auto taken = take_all(start); !taken.empty(); taken = take_all(start)) // each is found out
    for (const auto job : taken)
      queue.done(job, false, start + 1s);
  EXPECT_EQ(take_all(start + 1s).size(), 4U);
  queue.add(1000, "new", start + 1s);
  EXPECT_EQ(queue.take(start + 1s), 1000);
  queue.done(1000, true, start + 1s);
  EXPECT_EQ(queue.take(start + 1s), 1000);
}

TEST_F(webhook_queue_test, no_more_are_sent_to_at_once_than_there_are_senders) {
  for (std::int64_t r = 0; r < 20; ++r)
    queue.add(r, std::to_string(r), start);
  EXPECT_EQ(take_all(start).size(), 8U);
  EXPECT_FALSE(queue.next());
  queue.done(0, true, std::nullopt);
  EXPECT_EQ(take_all(start).size(), 1U);
}

TEST_F(webhook_queue_test, a_receiver_that_asks_for_a_pause_gets_it_for_all_its_jobs) {
  good("a");
  for (std::int64_t job = 1; job <= 3; ++job)
    queue.add(job, "a", start);
  EXPECT_EQ(take_all(start), (std::vector<std::int64_t>{1, 2}));
  queue.done(1, true, start + 60s, start + 60s);
  EXPECT_FALSE(queue.take(start + 59s));
  queue.done(2, true, std::nullopt, start + 1s); // does not shorten it
  EXPECT_EQ(queue.next(), start + 60s);
  EXPECT_EQ(take_all(start + 60s).size(), 2U);
}

} // namespace

} // namespace jobrunner
