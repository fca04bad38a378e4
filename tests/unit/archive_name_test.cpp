// Which uploads are archives, and which names inside them are allowed.
#include "archive/entry_name.hpp"
#include "archive/name.hpp"
#include "archive/utf8.hpp"
#include "core/error.hpp"

#include <gtest/gtest.h>
#include <string>

namespace jobrunner::archive {
namespace {

bool refused(std::string_view raw, bool folder = false) {
  try {
    entry_path(raw, folder);
    return false;
  } catch (const failure& f) {
    EXPECT_EQ(f.code(), errc::unprocessable);
    return true;
  }
}

TEST(kind_of, knows_every_ending_in_any_case) {
  for (const auto* name : {"a.tar", "a.tar.gz", "a.tgz", "a.tar.xz", "a.txz", "a.tar.lzma", "a.tlz",
                           "a.tar.zst", "a.tzst", "a.tar.bz2", "a.tbz2", "A.TAR.GZ", "x y.TgZ"})
    EXPECT_EQ(kind_of(name), kind::tar) << name;
  EXPECT_EQ(kind_of("a.zip"), kind::zip);
  EXPECT_EQ(kind_of("a.tar.ZIP"), kind::zip);
}

TEST(kind_of, takes_nothing_else_for_an_archive) {
  for (const auto* name : {"", "tar", "a", "a.gz", "a.csv", "a.tar.csv", "atar", "a.rar", "a.7z",
                           ".tar", ".zip", "folder/.tar.gz", "a.zip/b", "a.tar "})
    EXPECT_EQ(kind_of(name), kind::none) << name;
}

TEST(entry_path, keeps_plain_names_and_drops_dots_and_doubled_slashes) {
  EXPECT_EQ(entry_path("a/b.txt", false), "a/b.txt");
  EXPECT_EQ(entry_path("./a//b/./c", false), "a/b/c");
  EXPECT_EQ(entry_path("d/", true), "d");
  EXPECT_EQ(entry_path("./", true), "");
  EXPECT_EQ(entry_path(".", true), "");
  EXPECT_EQ(entry_path("..a/b..", false), "..a/b..");
  EXPECT_EQ(entry_path("e\u0301 \u4e2d \U0001f600", false), "e\u0301 \u4e2d \U0001f600");
}

TEST(entry_path, refuses_whatever_leaves_the_folder) {
  for (const auto* name : {"..", "../a", "a/..", "a/../../b", "/a", "//a", "/", "C:/a", "c:"})
    EXPECT_TRUE(refused(name)) << name;
  EXPECT_TRUE(refused("../", true));
  EXPECT_FALSE(refused("12:30")) << "a colon is an ordinary character";
}

TEST(entry_path, refuses_a_file_named_like_a_folder) {
  for (const auto* name : {"", ".", "./", "a/"})
    EXPECT_TRUE(refused(name)) << name;
}

TEST(entry_path, refuses_what_is_not_printable_utf8) {
  using namespace std::string_view_literals;
  for (const auto name :
       {"a\nb"sv, "a\x1b[31m"sv, "a\x7f"sv, "a\0b"sv, "\xc2\x9b"sv, "bad\xff\xfe"sv, R"(a\b)"sv,
        "\xc0\xaf"sv, "\xe0\x80\xaf"sv, "\xed\xa0\x80"sv, "\xf4\x90\x80\x80"sv,
        "\xf8\x88\x80\x80\x80"sv, "cut\xe4\xb8"sv, "\xe4/\xb8\xad"sv, "\x80"sv})
    EXPECT_TRUE(refused(name)) << shown(name);
}

TEST(entry_path, holds_the_limits_to_the_byte) {
  EXPECT_FALSE(refused(std::string(255, 'a')));
  EXPECT_TRUE(refused(std::string(256, 'a')));

  const std::string quarter = std::string(255, 'a') + '/';
  const auto longest = quarter + quarter + quarter + std::string(255, 'a');
  EXPECT_FALSE(refused(longest + "/", true)) << "1,023 bytes";
  EXPECT_FALSE(refused(quarter + quarter + quarter + std::string(254, 'a') + "/a")) << "1,024 + 0";
  EXPECT_TRUE(refused(longest + "/a")) << "1,025 bytes";

  std::string deep = "a";
  for (int i = 1; i < 64; ++i)
    deep += "/a";
  EXPECT_FALSE(refused(deep));
  EXPECT_TRUE(refused(deep + "/a"));
}

TEST(shown, is_one_harmless_line_that_ends) {
  EXPECT_EQ(shown("a b\u00e9"), "\"a b\u00e9\"");
  EXPECT_EQ(shown("a\n\"\\\xff"), "\"a\\x0a\\x22\\x5c\\xff\"");
  EXPECT_LT(shown(std::string(100000, 'x')).size(), 220U);
  EXPECT_TRUE(shown(std::string(1000, '\1')).ends_with("...\""));
}

} // namespace
} // namespace jobrunner::archive
