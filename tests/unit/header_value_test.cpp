#include "expect_failure.hpp"
#include "http/text/header_value.hpp"

namespace jobrunner::http {

TEST(header_value, reads_value_and_parameters) {
  const auto one = parse_header_value(R"( Text/HTML ; Charset=utf-8;a="b; c" ; d="e")");
  EXPECT_EQ(one.value, "text/html");
  EXPECT_EQ(one.params.size(), 3U);
  EXPECT_EQ(one.param("charset"), "utf-8");
  EXPECT_EQ(one.param("a"), "b; c");
  EXPECT_EQ(one.param("d"), "e");
  EXPECT_FALSE(one.param("e"));
}

TEST(header_value, nothing_and_loose_semicolons_are_fine) {
  EXPECT_EQ(parse_header_value("").value, "");
  EXPECT_EQ(parse_header_value("a").params.size(), 0U);
  EXPECT_EQ(parse_header_value("a;").params.size(), 0U);
  EXPECT_EQ(parse_header_value("a;;b=c; ").param("b"), "c");
}

TEST(header_value, quotes_and_backslashes_can_be_escaped) {
  EXPECT_EQ(parse_header_value(R"(a;n="x\"y\\z")").param("n"), R"(x"y\z)");
  EXPECT_EQ(parse_header_value(R"(a;n="C:\dir\f.txt")").param("n"), R"(C:\dir\f.txt)");
  EXPECT_EQ(parse_header_value(R"(a;n="")").param("n"), "");
}

TEST(header_value, malformed_values_are_refused) {
  for (const char* bad : {"a;b", "a;=b", "a;b c=d", "a;b=", "a;b=c d", R"(a;b="c)", R"(a;b="c\")",
                          R"(a;b="c"d)", R"(a;b=c"d")", "a;b=1;b=2", "a;b=1;B=2", "a; b =c"})
    EXPECT_TRUE(says(refusal([&] { parse_header_value(bad); }), "header value")) << bad;
}

} // namespace jobrunner::http
