#include "core/backoff.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

TEST(backoff, pauses_double_up_to_the_longest_and_half_of_each_is_chance) {
  const backoff how{200ms, 10000ms};
  EXPECT_EQ(pause_before(1, 1, how), 200ms);
  EXPECT_EQ(pause_before(2, 1, how), 400ms);
  EXPECT_EQ(pause_before(3, 0, how), 400ms);
  EXPECT_EQ(pause_before(3, 1, how), 800ms);
  EXPECT_EQ(pause_before(7, 1, how), 10000ms);
  EXPECT_EQ(pause_before(4000000000, 0, how), 5000ms);
  for (int i = 0; i < 100; ++i) {
    const auto random = chance();
    EXPECT_TRUE(random >= 0 && random <= 1) << random;
  }
}

} // namespace

} // namespace jobrunner
