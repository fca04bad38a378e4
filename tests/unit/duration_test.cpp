#include "core/duration.hpp"
#include "expect_failure.hpp"

namespace jobrunner {

TEST(duration, every_form_of_sbatch_is_read) {
  EXPECT_EQ(parse_time_limit("5"), 300);
  EXPECT_EQ(parse_time_limit("5:30"), 330);
  EXPECT_EQ(parse_time_limit("04:00:00"), 4 * 3600);
  EXPECT_EQ(parse_time_limit("2-3"), 2 * 86400 + 3 * 3600);
  EXPECT_EQ(parse_time_limit("2-3:04"), 2 * 86400 + 3 * 3600 + 4 * 60);
  EXPECT_EQ(parse_time_limit("2-3:04:05"), 2 * 86400 + 3 * 3600 + 4 * 60 + 5);
  EXPECT_EQ(parse_time_limit("0:0:1"), 1);
}

TEST(duration, parts_may_exceed_what_a_clock_shows) {
  EXPECT_EQ(parse_time_limit("90:00"), 5400);
  EXPECT_EQ(parse_time_limit("1-25:70:99"), 86400 + 25 * 3600 + 70 * 60 + 99);
}

TEST(duration, anything_else_is_refused_with_its_value) {
  for (const char* bad : {"",         " ",         "abc",       "1.5",    "5m",
                          "1h",       ":",         "5:",        ":5",     "1:2:3:4",
                          "-",        "1-",        "-5",        "+5",     " 5",
                          "5 ",       "1-2-3",     "1-2:3:4:5", "1--2",   "0x10",
                          "infinite", "UNLIMITED", "NOT_SET",   "5\n",    "04:00:00; id",
                          "\xd9\xa5", "1:-2",      "1e3",       "--help", "5::",
                          "-1-5"}) {
    const auto sentence = refusal([&] { parse_time_limit(bad); });
    EXPECT_TRUE(sentence.starts_with("time_limit is \"")) << sentence;
  }
  EXPECT_TRUE(says(refusal([] { parse_time_limit("abc"); }), "\"abc\""));
  EXPECT_THROW(parse_time_limit(std::string_view{"5\0", 2}), failure);
}

TEST(duration, no_time_is_refused) {
  for (const char* none : {"0", "00:00:00", "0-0", "0-0:0:0"})
    EXPECT_TRUE(says(refusal([&] { parse_time_limit(none); }), "at least")) << none;
}

TEST(duration, more_than_slurm_can_count_is_refused) {
  EXPECT_EQ(parse_time_limit("24855-3:14:07"), 2147483647);
  for (const char* much :
       {"24855-3:14:08", "35791395", "99999999999999999999", "9223372036854775807",
        "106751991167301-0", "9223372036854775807-9223372036854775807",
        "9223372036854775807:9223372036854775807:9223372036854775807"})
    EXPECT_TRUE(says(refusal([&] { parse_time_limit(much); }), "at most")) << much;
}

TEST(duration, what_is_written_is_read_again) {
  EXPECT_EQ(to_time_limit(0), "00:00:00");
  EXPECT_EQ(to_time_limit(59), "00:00:59");
  EXPECT_EQ(to_time_limit(4 * 3600), "04:00:00");
  EXPECT_EQ(to_time_limit(86399), "23:59:59");
  EXPECT_EQ(to_time_limit(86400), "1-00:00:00");
  EXPECT_EQ(to_time_limit(2147483647), "24855-03:14:07");
  for (std::int64_t seconds = 1; seconds < 2147483647; seconds = seconds * 3 + 1)
    EXPECT_EQ(parse_time_limit(to_time_limit(seconds)), seconds);
}

} // namespace jobrunner
