#include "core/text.hpp"
#include "expect_failure.hpp"
#include "http/text/safe_name.hpp"

namespace jobrunner::http {

TEST(safe_name, a_good_name_is_kept) {
  for (const char* good :
       {"a", "data.tar.gz", ".hidden", "...x", "a b", "-rf", "\u00e4\u20ac.txt", "a;id", "$(id)",
        "`id`", "con", "a:b", "'\"", "a.", "%2e%2e%2f", "*?|<>&"})
    EXPECT_EQ(safe_name(good), good);
}

TEST(safe_name, the_last_component_counts) {
  EXPECT_EQ(safe_name("/etc/passwd"), "passwd");
  EXPECT_EQ(safe_name("../../x.zip"), "x.zip");
  EXPECT_EQ(safe_name("C:\\Users\\me\\x.zip"), "x.zip");
  EXPECT_EQ(safe_name("a\\b/c\\d"), "d");
}

TEST(safe_name, a_bad_name_is_refused_with_its_reason) {
  for (const char* none :
       {"", ".", "..", "...", " ", ". .", "a/", "a\\", "/", "../..", "x/..", "x\\."})
    EXPECT_TRUE(says(refusal([&] { safe_name(none); }), "names no file")) << none;
  for (const char* control : {"a\nb", "\r", "a\tb", "a\x1b[31m", "a\x7f", "a\xc2\x9b", "a\xc2\x80"})
    EXPECT_TRUE(says(refusal([&] { safe_name(control); }), "control")) << control;
  EXPECT_TRUE(says(refusal([] { safe_name({"a\0.zip", 6}); }), "control"));
  for (const char* bytes : {"\xff", "a\xc0\xaf", "\xed\xa0\x80.txt", "a\xc2"})
    EXPECT_TRUE(says(refusal([&] { safe_name(bytes); }), "UTF-8")) << bytes;
  for (const char* blank : {" a", "a ", " a ", "x/ a"})
    EXPECT_TRUE(says(refusal([&] { safe_name(blank); }), "blank")) << blank;
}

TEST(safe_name, a_long_name_keeps_its_extension) {
  const std::string long_stem(300, 'a');
  EXPECT_EQ(safe_name(std::string(255, 'a')), std::string(255, 'a'));
  EXPECT_EQ(safe_name(long_stem), std::string(255, 'a'));
  EXPECT_EQ(safe_name(long_stem + ".zip"), std::string(251, 'a') + ".zip");
  EXPECT_EQ(safe_name(long_stem + ".TAR.gz"), std::string(248, 'a') + ".TAR.gz");
  EXPECT_EQ(safe_name("." + long_stem), "." + std::string(254, 'a'));
  EXPECT_EQ(safe_name(long_stem + "." + std::string(100, 'b')), std::string(255, 'a'));
  EXPECT_EQ(safe_name(".tar." + long_stem).size(), 255U);
}

TEST(safe_name, a_long_name_is_cut_between_characters) {
  for (const char* letter : {"\u00e4", "\u20ac", "\U0001f600"})
    for (const char* start : {"", "a", "ab", "abc"}) {
      std::string name = start;
      while (name.size() < 300)
        name += letter;
      const auto kept = safe_name(name + ".zip");
      EXPECT_TRUE(is_utf8(kept));
      EXPECT_LE(kept.size(), 255U);
      EXPECT_GE(kept.size(), 252U);
      EXPECT_TRUE(kept.ends_with(".zip"));
    }
}

} // namespace jobrunner::http
