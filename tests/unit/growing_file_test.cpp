#include "core/growing_file.hpp"
#include "core/unique_fd.hpp"
#include "temp_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

constexpr std::uint64_t plenty = 64U << 20U;

struct growing_file : testing::Test {
  temp_folder root;
  unique_fd file{::open((root / "log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  std::uint64_t size = 0;

  void write(std::string_view text) {
    ASSERT_EQ(pwrite(file.get(), text.data(), text.size(), static_cast<off_t>(size)),
              static_cast<ssize_t>(text.size()));
    size += text.size();
  }
  void cut(std::uint64_t to) {
    ASSERT_EQ(ftruncate(file.get(), static_cast<off_t>(to)), 0);
    size = to;
  }
  std::string tail(std::uint64_t lines, std::uint64_t most = plenty) {
    const auto first = tail_start(file.get(), size, lines, most);
    std::string text(size - first, '\0');
    text.resize(read_at(file.get(), text, first));
    return text;
  }
};

TEST_F(growing_file, its_tail_is_its_last_lines) {
  write("one\ntwo\nthree\n");
  EXPECT_EQ(tail(1), "three\n");
  EXPECT_EQ(tail(2), "two\nthree\n");
  EXPECT_EQ(tail(3), "one\ntwo\nthree\n");
  EXPECT_EQ(tail(4), "one\ntwo\nthree\n");
  EXPECT_EQ(tail(0), "");
}

TEST_F(growing_file, a_line_that_is_not_finished_is_one) {
  write("one\ntwo");
  EXPECT_EQ(tail(1), "two");
  EXPECT_EQ(tail(2), "one\ntwo");
}

TEST_F(growing_file, an_empty_file_has_an_empty_tail_and_empty_lines_are_lines) {
  EXPECT_EQ(tail(10), "");
  write("\n\n\n");
  EXPECT_EQ(tail(1), "\n");
  EXPECT_EQ(tail(2), "\n\n");
  EXPECT_EQ(tail(3), "\n\n\n");
  EXPECT_EQ(tail(9), "\n\n\n");
}

TEST_F(growing_file, a_tail_over_many_blocks_is_as_the_lines_are) {
  std::string all;
  for (int i = 0; i < 50000; ++i)
    all += std::to_string(i) + std::string(static_cast<std::size_t>(i % 17), 'x') + "\n";
  write(all);
  for (const int lines : {1, 999, 30000, 49999}) {
    auto at = all.size() - 1;
    for (int i = 0; i < lines; ++i)
      at = all.rfind('\n', at - 1);
    EXPECT_EQ(tail(static_cast<std::uint64_t>(lines)), all.substr(at + 1)) << lines;
  }
}

TEST_F(growing_file, a_tail_looks_no_farther_than_it_may) {
  write("one\n" + std::string(1000, 'x') + "\ntwo\n");
  EXPECT_EQ(tail(2, 100), std::string(95, 'x') + "\ntwo\n");
  cut(std::uint64_t{1} << 40U); // a hole of a terabyte
  EXPECT_EQ(tail_start(file.get(), size, 10, plenty), size - plenty);
}

TEST_F(growing_file, what_was_cut_off_meanwhile_is_not_read) {
  write(std::string(100000, 'x'));
  const auto before = size;
  cut(10);
  EXPECT_EQ(tail_start(file.get(), before, 5, plenty), 0U);
  std::string text(100, '\0');
  EXPECT_EQ(read_at(file.get(), text, 5), 5U);
  EXPECT_EQ(read_at(file.get(), text, 5000), 0U);
}

TEST_F(growing_file, a_hole_ends_where_bytes_begin) {
  write("bytes");
  cut(1 << 20);
  EXPECT_EQ(hole_end(file.get(), 0, size), 0U);
  const auto in_hole = std::uint64_t{500000};
  EXPECT_EQ(hole_end(file.get(), in_hole, size), size);
  write("more");
  const auto end = hole_end(file.get(), in_hole, size); // of a block of the file system
  EXPECT_GT(end, in_hole);
  EXPECT_LE(end, std::uint64_t{1} << 20U);
  EXPECT_EQ(hole_end(file.get(), size, size), size);
}

TEST_F(growing_file, its_tag_changes_when_it_grows_and_still_names_its_beginning) {
  write("one\n");
  const auto first = growing_tag(file.get(), size);
  EXPECT_EQ(first, growing_tag(file.get(), size));
  EXPECT_TRUE(first.starts_with('"') && first.ends_with('"'));
  EXPECT_TRUE(still_begins_with(file.get(), size, first));
  write("two\n");
  EXPECT_NE(growing_tag(file.get(), size), first);
  EXPECT_TRUE(still_begins_with(file.get(), size, first));
}

TEST_F(growing_file, a_tag_names_nothing_in_a_file_that_was_cut_or_written_anew) {
  write("one\ntwo\n");
  const auto tag = growing_tag(file.get(), size);
  cut(4);
  EXPECT_FALSE(still_begins_with(file.get(), size, tag));
  write("2wo\nthree\n");
  EXPECT_FALSE(still_begins_with(file.get(), size, tag));
  for (const auto* other : {"", "\"", "\"1-2-x\"", "W/\"1-2\"", "\"-\"", "*",
                            "\"ffffffffffffffffffff-1-\"", "Thu, 01 Jan 1970 00:00:00 GMT"})
    EXPECT_FALSE(still_begins_with(file.get(), size, other)) << other;
}

} // namespace

} // namespace jobrunner
