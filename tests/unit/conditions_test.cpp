#include "http/text/conditions.hpp"

#include <gtest/gtest.h>

namespace jobrunner::http {

TEST(conditions, none_match_is_false_where_the_tag_is_listed) {
  for (const char* header : {R"("abc")", R"(W/"abc")", R"("x", "abc")", R"("x","abc","y")", "*",
                             " * ", R"("a,b" , W/"abc")", R"(, ,"abc")"})
    EXPECT_FALSE(none_match(header, R"("abc")")) << header;
  EXPECT_FALSE(none_match(R"("abc")", R"(W/"abc")")); // compared weakly
}

TEST(conditions, none_match_is_true_otherwise) {
  for (const char* header : {"", R"("x")", R"("abcd")", R"("ABC")", "abc", R"("abc)", R"(x, "abc")",
                             R"("x,"abc"")", R"(w/"abc")", "**", R"("x" "y")", ",,,"})
    EXPECT_TRUE(none_match(header, R"("abc")")) << header;
}

TEST(conditions, if_range_compares_tags_strongly) {
  EXPECT_TRUE(if_range_matches(R"("abc")", R"("abc")", {}));
  EXPECT_TRUE(if_range_matches(R"( "abc" )", R"("abc")", {}));
  EXPECT_FALSE(if_range_matches(R"("abd")", R"("abc")", {}));
  EXPECT_FALSE(if_range_matches(R"(W/"abc")", R"("abc")", {}));
  EXPECT_FALSE(if_range_matches(R"(W/"abc")", R"(W/"abc")", {}));
  EXPECT_FALSE(if_range_matches(R"("abc")", R"(W/"abc")", {}));
  EXPECT_FALSE(if_range_matches(R"("abc", "x")", R"("abc")", {}));
  EXPECT_FALSE(if_range_matches("*", R"("abc")", {}));
}

TEST(conditions, if_range_wants_the_very_date) {
  const std::chrono::sys_seconds modified{std::chrono::seconds{784111777}};
  EXPECT_TRUE(if_range_matches("Sun, 06 Nov 1994 08:49:37 GMT", R"("a")", modified));
  EXPECT_FALSE(if_range_matches("Sun, 06 Nov 1994 08:49:38 GMT", R"("a")", modified));
  EXPECT_FALSE(if_range_matches("Sun, 06 Nov 1994 08:49:36 GMT", R"("a")", modified));
  EXPECT_FALSE(if_range_matches("yesterday", R"("a")", {}));
  EXPECT_FALSE(if_range_matches("", R"("a")", {}));
}

} // namespace jobrunner::http
