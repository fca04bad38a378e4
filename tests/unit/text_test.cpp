#include "core/text.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

TEST(text, well_formed_utf8_is_known) {
  for (const char* good : {"", "abc", "\x7f", "\u00e4", "\u20ac", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\u00e4\u20ac\U0001f600z"})
    EXPECT_TRUE(is_utf8(good)) << good;
  EXPECT_TRUE(is_utf8(std::string_view{"\0", 1}));
}

TEST(text, malformed_utf8_is_known) {
  for (const char* bad : {"\x80",
                          "\xbf",
                          "\xc0\xaf",
                          "\xc1\xbf",
                          "\xc2",
                          "\xc2 ",
                          "\xe0\x80\xaf",
                          "\xe0\x9f\xbf",
                          "\xe2\x82",
                          "\xe2\x82 ",
                          "\xed\xa0\x80",
                          "\xed\xbf\xbf",
                          "\xf0\x80\x80\xaf",
                          "\xf0\x8f\xbf\xbf",
                          "\xf0\x9f\x98",
                          "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80",
                          "\xfe",
                          "\xff",
                          "ok\xff"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
}

TEST(text, shown_quotes_what_can_be_printed) {
  EXPECT_EQ(shown(""), R"("")");
  EXPECT_EQ(shown("a \u00e4 b"), "\"a \u00e4 b\"");
}

TEST(text, shown_holds_no_control_bytes_and_is_utf8) {
  EXPECT_EQ(shown("a\r\n\x1b[31m\x7f"), R"("a\x0d\x0a\x1b[31m\x7f")");
  EXPECT_EQ(shown(std::string_view{"\0", 1}), R"("\x00")");
  EXPECT_EQ(shown("\xc2\x9b\xff\xe2\x82"), R"("\xc2\x9b\xff\xe2\x82")");
}

TEST(text, shown_cuts_after_100_characters) {
  EXPECT_EQ(shown(std::string(100, 'a')), '"' + std::string(100, 'a') + '"');
  EXPECT_EQ(shown(std::string(101, 'a')), '"' + std::string(100, 'a') + "...\"");
  EXPECT_LT(shown(std::string(1 << 20, '\xff')).size(), 500U);
}

} // namespace jobrunner
