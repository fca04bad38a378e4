#include "core/time.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

using namespace std::chrono;

TEST(rfc3339, a_time_is_written_in_utc_with_milliseconds) {
  EXPECT_EQ(to_rfc3339(sys_days{2026y / November / 23} + 8h + 15min + 30s + 125ms),
            "2026-11-23T08:15:30.125Z");
  EXPECT_EQ(to_rfc3339(timestamp{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(sys_days{2024y / February / 29} + 23h + 59min + 59s + 7ms),
            "2024-02-29T23:59:59.007Z");
}

TEST(rfc3339, what_is_written_is_read_back) {
  for (const timestamp t : {timestamp{}, timestamp{1795652809123ms},
                            timestamp{sys_days{2024y / February / 29} + 23h + 59min + 59s + 7ms}})
    EXPECT_EQ(from_rfc3339(to_rfc3339(t)), t);
}

TEST(rfc3339, offsets_fractions_and_milliseconds_are_read) {
  const timestamp t = sys_days{2026y / November / 23} + 8h + 15min + 30s;
  for (const char* text :
       {"2026-11-23T08:15:30Z", "2026-11-23t08:15:30z", "2026-11-23T10:15:30+02:00",
        "2026-11-22T20:45:30-11:30", "2026-11-23T08:15:30.000Z", "1795421730000"})
    EXPECT_EQ(from_rfc3339(text), t) << text;
  EXPECT_EQ(from_rfc3339("2026-11-23T08:15:30.5Z"), t + 500ms);
  EXPECT_EQ(from_rfc3339("2026-11-23T08:15:30.123999+00:00"), t + 123ms);
}

TEST(rfc3339, what_is_no_time_is_nothing) {
  for (const char* text : {"",
                           "now",
                           "-1",
                           "2026-11-23",
                           "2026-11-23T08:15:30",
                           "2026-11-23 08:15:30Z",
                           "2026-02-30T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-11-23T24:00:00Z",
                           "2026-11-23T08:60:30Z",
                           "2026-11-23T08:15:61Z",
                           "2026-11-23T08:15:30.Z",
                           "2026-11-23T08:15:30+2:00",
                           "2026-11-23T08:15:30+02:60",
                           "2026-11-23T08:15:30Zx",
                           "2026-1a-23T08:15:30Z",
                           "1969-12-31T23:59:59Z",
                           "253402300800000",
                           "1e3",
                           " 1"})
    EXPECT_EQ(from_rfc3339(text), std::nullopt) << text;
}

TEST(rfc3339, a_time_before_1970_has_positive_milliseconds) {
  EXPECT_EQ(to_rfc3339(timestamp{-1ms}), "1969-12-31T23:59:59.999Z");
}

TEST(http_date, a_time_comes_back_as_it_was_written) {
  const sys_seconds t = sys_days{2026y / November / 23} + 8h + 15min + 30s;
  EXPECT_EQ(to_http_date(t), "Mon, 23 Nov 2026 08:15:30 GMT");
  EXPECT_EQ(from_http_date("Mon, 23 Nov 2026 08:15:30 GMT"), t);
}

TEST(http_date, what_is_no_such_date_is_the_epoch) {
  for (const auto* text :
       {"", "yesterday", "Mon, 23 Nov 2026 08:15:30", "Mon, 23 Nov 2026 08:15:30 GMT, or so",
        "Mon, 23 Nov 2026 08:15:30 CET", "Mon, 99 Nov 2026 08:15:30 GMT", "2026-11-23"})
    EXPECT_EQ(from_http_date(text), sys_seconds{}) << text;
}

} // namespace

} // namespace jobrunner
