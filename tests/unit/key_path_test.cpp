#include "expect_failure.hpp"
#include "s3/key_path.hpp"

#include <gtest/gtest.h>

namespace jobrunner::s3 {

namespace {

TEST(key_path, a_key_that_is_a_relative_path_stays_as_it_is) {
  for (const auto* key :
       {"a", "a/b.txt", "...", "a b/\u00e9\u4e2d", ".hidden/x", "a:b", "~/x", "-", "a/..b/c.."})
    EXPECT_EQ(key_path(key), key);
  EXPECT_EQ(key_path(std::string(255, 'x')).size(), 255U);
}

TEST(key_path, a_key_that_climbs_is_absolute_or_could_be_another_is_refused) {
  for (const std::string key :
       {"",         "/",     "/etc/passwd", "..",    "../x",        "a/../b",
        "a/..",     ".",     "./a",         "a/./b", "a//b",        "a/",
        "//",       "..\\x", "a\\b",        "C:\\x", "a\nb",        "a\rb",
        "a\x1b[0m", "a\x7f", "a\xc2\x85",   "\xff",  "a\xc0\xaf..", "\xed\xa0\x80"})
    EXPECT_FALSE(refusal([&] { key_path(key); }, errc::unprocessable).empty()) << key;
  refusal([] { key_path(std::string_view{"a\0b", 3}); }, errc::unprocessable);
  refusal([] { key_path(std::string(256, 'x')); }, errc::unprocessable);
  std::string deep = "a";
  for (int i = 0; i < 64; ++i)
    deep += "/a";
  refusal([&] { key_path(deep); }, errc::unprocessable);
  std::string longest;
  for (int i = 0; i < 5; ++i)
    longest += std::string(210, 'x') + "/";
  refusal([&] { key_path(longest + "x"); }, errc::unprocessable);
}

TEST(key_path, an_object_is_named_by_the_last_part_of_its_key) {
  EXPECT_EQ(key_name("sets/a.tar.gz"), "a.tar.gz");
  EXPECT_EQ(key_name("a"), "a");
  refusal([] { key_name("sets/"); }, errc::unprocessable);
  refusal([] { key_name("../a"); }, errc::unprocessable);
}

TEST(key_path, an_export_s_prefix_ends_in_a_slash) {
  EXPECT_EQ(export_prefix(""), "");
  EXPECT_EQ(export_prefix("/"), "");
  EXPECT_EQ(export_prefix("runs/42"), "runs/42/");
  EXPECT_EQ(export_prefix("runs/42/"), "runs/42/");
  for (const auto* bad : {"../x", "/x", "a//b", "a\nb", "x//"})
    EXPECT_TRUE(says(refusal([&] { export_prefix(bad); }), "prefix")) << bad;
}

} // namespace

} // namespace jobrunner::s3
