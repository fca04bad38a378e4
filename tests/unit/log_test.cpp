#include "core/log.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

TEST(log, a_plain_value_stands_as_it_is) {
  EXPECT_EQ(log_value("COMPLETED"), "COMPLETED");
  EXPECT_EQ(log_value("/jobs/7?wait:30"), "/jobs/7?wait:30");
}

TEST(log, a_value_that_could_be_taken_for_more_is_quoted) {
  EXPECT_EQ(log_value(""), "\"\"");
  EXPECT_EQ(log_value("a b"), "\"a b\"");
  EXPECT_EQ(log_value("a=b"), "\"a=b\"");
  EXPECT_EQ(log_value(R"(say "x" \ y)"), R"("say \"x\" \\ y")");
}

TEST(log, control_bytes_and_what_is_not_ascii_are_escaped) {
  EXPECT_EQ(log_value("a\nat=forged\r"), R"("a\x0aat=forged\x0d")");
  EXPECT_EQ(log_value("\x1b[2J\x7f"), R"("\x1b[2J\x7f")");
  EXPECT_EQ(log_value(std::string_view{"\0", 1}), R"("\x00")");
  EXPECT_EQ(log_value("\xff"), R"("\xff")");
}

TEST(log, a_long_value_is_cut_and_says_so) {
  EXPECT_EQ(log_value(std::string(1000, 'x')), std::string(1000, 'x'));
  EXPECT_EQ(log_value(std::string(1001, 'x')), "\"" + std::string(1000, 'x') + "...\"");
  EXPECT_LT(log_value(std::string(1U << 20U, '\x01')).size(), 4100U);
}

TEST(log, a_line_has_the_place_the_event_and_its_values) {
  testing::internal::CaptureStderr();
  log("jobs", "ended", {{"job", "7"}, {"reason", "it\nended"}});
  const auto line = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(line.ends_with(" at=jobs event=ended job=7 reason=\"it\\x0aended\"\n")) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

} // namespace

} // namespace jobrunner
