#include "webhook/schedule.hpp"

#include <gtest/gtest.h>

namespace jobrunner::webhook {

namespace {

using namespace std::chrono_literals;

const timestamp start{1000h};
constexpr auto three_days = 259200s;

TEST(webhook_schedule, pauses_double_from_a_second_to_an_hour) {
  EXPECT_EQ(next_try({1, start, start}, 1, three_days), start + 1s);
  EXPECT_EQ(next_try({1, start, start}, 0, three_days), start + 500ms);
  EXPECT_EQ(next_try({2, start, start + 1s}, 1, three_days), start + 3s);
  EXPECT_EQ(next_try({5, start, start + 20s}, 1, three_days), start + 36s);
  EXPECT_EQ(next_try({13, start, start + 2h}, 1, three_days), start + 3h);
  EXPECT_EQ(next_try({4000000000, start, start + 2h}, 1, three_days), start + 3h);
}

TEST(webhook_schedule,
     a_receiver_may_ask_for_a_longer_pause_within_an_hour_but_for_no_shorter_one) {
  EXPECT_EQ(next_try({1, start, start, 60s}, 1, three_days), start + 60s);
  EXPECT_EQ(next_try({1, start, start, 1000000s}, 1, three_days), start + 1h);
  EXPECT_EQ(next_try({10, start, start, 1s}, 1, three_days), start + 512s);
  EXPECT_EQ(next_try({1, start, start, -5s}, 1, three_days), start + 1s);
}

TEST(webhook_schedule, the_last_try_is_when_the_time_is_up_and_none_after_it) {
  EXPECT_EQ(next_try({80, start, start + three_days - 1min}, 1, three_days), start + three_days);
  EXPECT_FALSE(next_try({81, start, start + three_days}, 1, three_days));
  EXPECT_FALSE(next_try({81, start, start + three_days + 1h, 60s}, 0, three_days));
}

TEST(webhook_schedule, in_three_days_there_are_tens_of_tries_not_thousands) {
  int tries = 0;
  for (std::optional<timestamp> at = start; at; ++tries)
    at = next_try({static_cast<unsigned>(tries + 1), start, *at}, 0.5, three_days);
  EXPECT_GT(tries, 70);
  EXPECT_LT(tries, 150);
}

} // namespace

} // namespace jobrunner::webhook
