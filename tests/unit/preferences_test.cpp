#include "http/text/preferences.hpp"

#include <gtest/gtest.h>

namespace jobrunner::http {

namespace {

TEST(preferences, a_wait_is_found_among_others) {
  EXPECT_EQ(preferred_wait("wait=10", 300), 10);
  EXPECT_EQ(preferred_wait("respond-async, Wait = 10", 300), 10);
  EXPECT_EQ(preferred_wait("respond-async; foo=bar , wait=\"0\"", 300), 0);
}

TEST(preferences, a_long_wait_is_cut) {
  EXPECT_EQ(preferred_wait("wait=301", 300), 300);
  EXPECT_EQ(preferred_wait("wait=99999999999999999999999", 300), 300);
}

TEST(preferences, the_first_of_two_counts) {
  EXPECT_EQ(preferred_wait("wait=1, wait=2", 300), 1);
}

TEST(preferences, without_a_whole_number_there_is_no_wait) {
  for (const auto* text : {"", "wait", "wait=", "wait=-1", "wait=1.5", "wait=ten", "waiting=5",
                           "return=minimal", ",;=", "x=wait=7"})
    EXPECT_EQ(preferred_wait(text, 300), std::nullopt) << text;
}

} // namespace

} // namespace jobrunner::http
