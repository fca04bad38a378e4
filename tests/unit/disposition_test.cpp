#include "core/text.hpp"
#include "http/text/disposition.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace jobrunner::http {

TEST(disposition, a_plain_name_is_given_twice) {
  EXPECT_EQ(attachment("model.pth"),
            R"(attachment; filename="model.pth"; filename*=UTF-8''model.pth)");
  EXPECT_EQ(attachment("a b-c_d.txt"),
            R"(attachment; filename="a b-c_d.txt"; filename*=UTF-8''a%20b-c_d.txt)");
}

TEST(disposition, other_letters_are_encoded) {
  EXPECT_EQ(attachment("\u00e4\u20ac\U0001f600.txt"),
            R"(attachment; filename="___.txt"; filename*=UTF-8''%C3%A4%E2%82%AC%F0%9F%98%80.txt)");
}

TEST(disposition, quotes_and_percent_signs_cannot_mislead) {
  EXPECT_EQ(
      attachment(R"(a"b%41'(c);.txt)"),
      R"(attachment; filename="a_b_41'(c);.txt"; filename*=UTF-8''a%22b%2541%27%28c%29%3B.txt)");
}

TEST(disposition, slashes_and_what_is_no_utf8_become_underscores) {
  EXPECT_EQ(attachment("../a\\b\xff"),
            R"(attachment; filename=".._a_b_"; filename*=UTF-8''.._a_b_)");
}

TEST(disposition, an_empty_name_gets_one) {
  EXPECT_EQ(attachment(""), R"(attachment; filename="download"; filename*=UTF-8''download)");
  EXPECT_EQ(attachment("\r\n"), attachment(""));
}

TEST(disposition, whatever_the_name_it_is_one_line_of_ascii) {
  EXPECT_EQ(attachment("a\r\nSet-Cookie: x=y\r\n\r\n"), attachment("aSet-Cookie: x=y"));
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second) {
      const std::string name{static_cast<char>(first), static_cast<char>(second)};
      const auto line = attachment(name);
      for (const char c : line)
        ASSERT_TRUE(c >= ' ' && c < '\x7f') << first << ' ' << second;
      ASSERT_EQ(std::count(line.begin(), line.end(), '"'), 2) << line;
    }
}

} // namespace jobrunner::http
