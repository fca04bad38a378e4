#include "expect_failure.hpp"
#include "http/text/router.hpp"

namespace jobrunner::http {

namespace {

using names = std::vector<std::string>;

struct row {
  pattern shape;
  int endpoint;
};

std::optional<names> match(pattern shape, std::string_view raw_path) {
  const auto segments = split_path(raw_path);
  const auto holes = holes_filled(shape, segments);
  if (!holes)
    return std::nullopt;
  auto filled = fillings(shape, segments);
  EXPECT_EQ(filled.size(), *holes);
  return filled;
}

constexpr row table[] = {{"/", 1}, {"/jobs/{id}", 2}, {"/jobs/{id}/log", 3}, {"/a/{x}/{y}", 4}};

} // namespace

TEST(router, a_table_can_be_constexpr) {
  int found = 0;
  for (const auto& [shape, endpoint] : table)
    if (match(shape, "/jobs/7/log"))
      found = endpoint;
  EXPECT_EQ(found, 3);
}

TEST(router, holes_are_filled_in_order) {
  EXPECT_EQ(match("/jobs/{id}/log", "/jobs/7/log"), names{"7"});
  EXPECT_EQ(match("/a/{x}/{y}", "/a/b/c"), (names{"b", "c"}));
  EXPECT_EQ(match("/health", "/health"), names{});
  EXPECT_EQ(match("/", "/"), names{});
}

TEST(router, another_shape_does_not_match) {
  for (const char* other : {"/", "/jobs", "/jobs/", "/jobs/7", "/jobs/7/", "/jobs/7/logs",
                            "/jobs/7/log/", "/jobs//log", "//jobs/7/log", "/jobs/7/8/log",
                            "/Jobs/7/log", "/jobs/7/log/x", "/jobs/7%2Flog", "/jobs%2F7/log"})
    EXPECT_FALSE(match("/jobs/{id}/log", other)) << other;
  EXPECT_FALSE(match("/", "/x"));
  EXPECT_FALSE(match("/", "//"));
  EXPECT_FALSE(match("/{x}", "/"));
}

TEST(router, segments_are_split_before_they_are_decoded_once) {
  EXPECT_EQ(match("/x/{a}", "/x/b%2Fc"), names{"b/c"});
  EXPECT_EQ(match("/x/{a}", "/x/%252e"), names{"%2e"});
  EXPECT_EQ(match("/x/{a}", "/%78/a+b%20c"), names{"a+b c"});
  EXPECT_EQ(match("/x/{a}", "/x/%2e%2e"), names{".."});
  EXPECT_EQ(match("/x/{a}", "/x/%7Bb%7D"), names{"{b}"});
  EXPECT_FALSE(match("/x/{a}", "/x/../y"));
}

TEST(router, bad_escapes_are_refused) {
  for (const char* bad :
       {"/x/%", "/x/%4", "/x/%zz", "/x/%00", "/x/%ff", "/x/%c0%af", "/x/\xff", "x", ""})
    EXPECT_THROW(match("/x/{a}", bad), failure) << bad;
}

TEST(router, a_target_is_split_at_its_first_question_mark) {
  EXPECT_EQ(split_target("/a?b=c?d").path, "/a");
  EXPECT_EQ(split_target("/a?b=c?d").query, "b=c?d");
  EXPECT_EQ(split_target("/a").path, "/a");
  EXPECT_EQ(split_target("/a").query, "");
  EXPECT_EQ(split_target("/a?").path, "/a");
  EXPECT_EQ(split_target("").path, "");
  EXPECT_EQ(split_target("/a%3Fb").query, "");
}

} // namespace jobrunner::http
