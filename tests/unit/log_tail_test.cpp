#include "slurm/log_tail.hpp"
#include "temp_folder.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace jobrunner::slurm {

namespace {

namespace fs = std::filesystem;

struct log_tail_test : testing::Test {
  temp_folder root;
  std::string tail(const std::string& log) {
    root.put("logs/a.out", log);
    return log_tail(root.path(), "logs/a.out");
  }
};

TEST_F(log_tail_test, a_short_log_is_its_own_tail) {
  EXPECT_EQ(tail("one\ntwo\n"), "one\ntwo\n");
  EXPECT_EQ(tail("no end of line"), "no end of line");
  EXPECT_EQ(tail(""), "");
}

TEST_F(log_tail_test, the_last_twenty_lines_are_kept) {
  std::string log, last;
  for (int i = 0; i < 100; ++i) {
    log += std::to_string(i) + "\n";
    if (i >= 80)
      last += std::to_string(i) + "\n";
  }
  EXPECT_EQ(tail(log), last);
  EXPECT_EQ(tail(log + "end"), last.substr(3) + "end");
}

TEST_F(log_tail_test, long_lines_are_cut_to_whole_ones_within_4_kib) {
  const std::string line(1000, 'x');
  std::string log;
  for (int i = 0; i < 10; ++i)
    log += line + "\n";
  EXPECT_EQ(tail(log), (line + "\n" + line + "\n" + line + "\n" + line + "\n").substr(0, 4004));
  EXPECT_EQ(tail(std::string(100'000, 'y')).size(), 4096U); // one line without an end
}

TEST_F(log_tail_test, bytes_that_are_no_text_do_no_harm) {
  EXPECT_EQ(tail("a\xff"
                 "b\n"),
            "a\xef\xbf\xbd"
            "b\n");
  EXPECT_EQ(tail(std::string("hole\0\0\0end", 11)), "holeend");
  root.put("logs/big", "x");
  fs::resize_file(root / "logs/big", 1ULL << 40U); // a hole of a terabyte
  EXPECT_EQ(log_tail(root.path(), "logs/big"), "");
}

TEST_F(log_tail_test, what_is_no_file_of_its_own_has_no_tail) {
  root.put("secret", "canary");
  root.put("logs/x", "");
  fs::create_symlink(root / "secret", root / "logs/link");
  ASSERT_EQ(mkfifo((root / "logs/fifo").c_str(), 0600), 0);
  for (const char* path : {"logs/link", "logs/fifo", "logs", "logs/none", "../secret", ""})
    EXPECT_EQ(log_tail(root.path(), path), "") << path;
}

} // namespace

} // namespace jobrunner::slurm
