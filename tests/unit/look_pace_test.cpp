#include "actors/bell.hpp"
#include "actors/look_pace.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

struct look_pace_test : testing::Test {
  look_pace pace{1s};
  look_pace::moment now{1h};
};

TEST_F(look_pace_test, without_a_hint_the_clock_goes_on) {
  EXPECT_EQ(pace.looked(now, 5ms, false), 1s);
  EXPECT_EQ(pace.looked(now + 1s, 5ms, true), 1s);
}

TEST_F(look_pace_test, a_large_queue_is_looked_at_less_often_and_a_dead_slurm_soon_again) {
  EXPECT_EQ(pace.looked(now, 165ms, false), 11 * 165ms);
  EXPECT_EQ(pace.looked(now, 9s, false), 3s);
}

TEST_F(look_pace_test, one_quick_look_among_slow_ones_is_not_followed_at_once) {
  look_pace often{100ms};
  EXPECT_EQ(often.looked(now, 160ms, false), 1760ms);
  EXPECT_EQ(often.looked(now, 5ms, false), 880ms);
  EXPECT_EQ(often.looked(now, 160ms, false), 1760ms);
  for (int i = 0; i < 5; ++i)
    often.looked(now, 5ms, false);
  EXPECT_EQ(often.looked(now, 5ms, false), 100ms);
}

TEST_F(look_pace_test, after_a_hint_it_looks_more_and_more_rarely_until_nothing_moves) {
  EXPECT_EQ(pace.hinted(now), 0ms);
  auto pause = 5ms;
  for (int i = 0; i < 4; ++i, pause *= 2)
    EXPECT_EQ(pace.looked(now += 1ms, 1ms, true), pause);
  EXPECT_EQ(pace.looked(now += 1ms, 1ms, false), 1s);
}

TEST_F(look_pace_test, what_moves_for_long_is_left_to_the_clock) {
  pace.hinted(now);
  look_pace::span pause{};
  int looks = 0;
  while ((pause = pace.looked(now, 1ms, true)) < 1s) {
    now += pause;
    ++looks;
  }
  EXPECT_LE(looks, 8);
  EXPECT_EQ(pace.looked(now, 1ms, true), 1s);
}

TEST_F(look_pace_test, hints_take_no_more_than_a_tenth_of_the_time) {
  const auto began = now;
  look_pace::span cost{};
  for (int i = 0; i < 1000; ++i) {
    now += std::max(pace.hinted(now), look_pace::span{1ms});
    now += 20ms;
    cost += 20ms;
    pace.looked(now, 20ms, false);
  }
  EXPECT_LT(cost, (now - began) / 10 + 300ms);
  EXPECT_GT(cost, (now - began) / 12);
}

TEST_F(look_pace_test, a_slurm_that_was_down_for_hours_gets_its_hints_back_soon) {
  for (int i = 0; i < 400; ++i)
    pace.looked(now += 12s, 9s, false);
  EXPECT_LE(pace.hinted(now), 3s);
  EXPECT_EQ(pace.hinted(now + 10s), 0ms);
}

TEST(bell, many_rings_before_it_is_heard_are_one) {
  bell b;
  b.ring(); // nobody listens
  int woken = 0;
  b.on_ring([&] { ++woken; });
  b.ring();
  b.ring();
  EXPECT_EQ(woken, 1);
  b.heard();
  b.ring();
  EXPECT_EQ(woken, 2);
  b.on_ring({});
  b.ring();
  EXPECT_EQ(woken, 2);
}

} // namespace

} // namespace jobrunner
