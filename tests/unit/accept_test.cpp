#include "http/text/accept.hpp"

#include <gtest/gtest.h>

namespace jobrunner::http {

namespace {

TEST(accept, an_absent_header_and_a_wildcard_accept_everything) {
  EXPECT_EQ(accepted("", "text/plain"), 1000);
  EXPECT_EQ(accepted("*/*", "text/plain"), 1000);
  EXPECT_EQ(accepted(" ", "text/plain"), 1000);
}

TEST(accept, what_is_not_named_is_not_accepted) {
  EXPECT_EQ(accepted("application/json", "text/event-stream"), 0);
  EXPECT_EQ(accepted("text/html, application/*", "text/event-stream"), 0);
  EXPECT_EQ(accepted("text/event-streams", "text/event-stream"), 0);
}

TEST(accept, the_most_specific_range_decides_wherever_it_stands) {
  const auto* header = "text/*;q=0.3, text/plain;q=0.7, */*;q=0.5, text/html;level=1;q=0.4";
  EXPECT_EQ(accepted(header, "text/plain"), 700);
  EXPECT_EQ(accepted(header, "text/event-stream"), 300);
  EXPECT_EQ(accepted(header, "text/html"), 400);
  EXPECT_EQ(accepted(header, "image/png"), 500);
  EXPECT_EQ(accepted("*/*, text/plain;q=0", "text/plain"), 0);
}

TEST(accept, names_and_blanks_are_read_as_http_has_them) {
  EXPECT_EQ(accepted("TEXT/Event-Stream ; Q=0.125 ,x/y", "text/event-stream"), 125);
  EXPECT_EQ(accepted("text/event-stream;q=1.000", "text/event-stream"), 1000);
  EXPECT_EQ(accepted("text/event-stream;q=nonsense", "text/event-stream"), 1000);
  EXPECT_EQ(accepted(",,;,=,q", "text/event-stream"), 0);
}

} // namespace

} // namespace jobrunner::http
