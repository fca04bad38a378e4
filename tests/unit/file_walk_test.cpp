#include "core/file_walk.hpp"
#include "expect_failure.hpp"
#include "temp_folder.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;
using names = std::vector<std::string>;

struct file_walk : testing::Test {
  temp_folder folder;
  names found(std::size_t limit = 1000) {
    names paths;
    for (const auto& f : walk(folder.path(), limit))
      paths.push_back(f.path);
    return paths;
  }
};

TEST_F(file_walk, files_come_with_their_sizes_sorted_by_path) {
  folder.put("b.txt", "12345");
  folder.put("a/c.txt", "");
  const auto all = walk(folder.path(), 1000);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].path, "a/c.txt");
  EXPECT_EQ(all[0].bytes, 0);
  EXPECT_EQ(all[1].path, "b.txt");
  EXPECT_EQ(all[1].bytes, 5);
}

TEST_F(file_walk, links_are_neither_listed_nor_followed) {
  temp_folder outside;
  outside.put("secret.txt", "s");
  folder.put("real.txt", "1");
  fs::create_symlink(outside / "secret.txt", folder / "file_link");
  fs::create_directory_symlink(outside.path(), folder / "folder_link");
  fs::create_directory_symlink(folder.path(), folder / "loop");
  fs::create_symlink("real.txt", folder / "inner_link");
  EXPECT_EQ(found(), names{"real.txt"});
}

TEST_F(file_walk, special_files_are_not_listed_and_do_not_block) {
  folder.put("real.txt", "1");
  ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
  if (geteuid() == 0)
    static_cast<void>(!mknod((folder / "zero").c_str(), S_IFCHR | 0600, makedev(1, 5)));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (folder / "socket").c_str(), sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(fd);
  EXPECT_EQ(found(), names{"real.txt"});
  auto problems = look_through(folder.path(), {1000}).problems.first;
  std::ranges::sort(problems);
  EXPECT_EQ(problems.at(0), R"("fifo" is a FIFO: left out)");
  EXPECT_EQ(problems.at(1), R"("socket" is a socket: left out)");
  EXPECT_EQ(problems.size(), 2U + (fs::exists(folder / "zero") ? 1 : 0));
  EXPECT_EQ(problems.back(),
            fs::exists(folder / "zero") ? R"("zero" is a device: left out)" : problems.at(1));
}

TEST_F(file_walk, names_that_are_not_utf8_are_left_out_and_others_stay) {
  folder.put("bad\xff.txt", "1");
  folder.put("bad\xff/in.txt", "1");
  folder.put("ä \n.txt", "1");
  EXPECT_EQ(found(), names{"ä \n.txt"});
}

TEST_F(file_walk, what_is_deeper_than_64_folders_is_left_out) {
  std::string path;
  for (int i = 0; i < 64; ++i)
    path += "d/";
  folder.put(path + "in.txt", "1");
  folder.put(path + "d/out.txt", "1");
  EXPECT_EQ(found(), names{path + "in.txt"});
}

TEST_F(file_walk, no_more_entries_are_read_than_the_limit) {
  for (int i = 0; i < 20; ++i)
    folder.put("f" + std::to_string(i), "");
  EXPECT_EQ(found(7).size(), 7U);
  EXPECT_EQ(found(20).size(), 20U);
  EXPECT_EQ(found(0).size(), 0U);
}

TEST_F(file_walk, what_is_left_out_is_said_and_counted) {
  fs::create_symlink("gone", folder / "link\n");
  for (int i = 0; i < 150; ++i)
    fs::create_symlink("gone", folder / ("many" + std::to_string(i)));
  folder.put("bad\xff.txt", "1");
  const auto all = look_through(folder.path(), {1000});
  EXPECT_TRUE(all.files.empty());
  EXPECT_TRUE(all.cut.empty());
  EXPECT_EQ(all.problems.total, 152);
  EXPECT_EQ(all.problems.first.size(), 100U);
  for (const auto& p : all.problems.first)
    EXPECT_EQ(p.find('\n'), std::string::npos) << p;
}

TEST_F(file_walk, a_walk_that_was_cut_says_so) {
  for (int i = 0; i < 20; ++i)
    folder.put("f" + std::to_string(i), "");
  EXPECT_TRUE(says(look_through(folder.path(), {7}).cut, "more than 7 files and folders"));
  EXPECT_TRUE(look_through(folder.path(), {20}).cut.empty());
  const auto all = look_through(folder.path(), {20, 25});
  EXPECT_TRUE(says(all.cut, "longer than 25 bytes together")) << all.cut;
  EXPECT_LT(all.files.size(), 20U);
}

TEST_F(file_walk, a_folder_that_is_skipped_is_as_if_it_were_not_there) {
  folder.put("attempt-1/a", "");
  folder.put("b", "");
  fs::create_symlink("gone", folder / "attempt-1/link");
  const auto all =
      look_through(folder.path(), {2}, [](std::string_view path) { return path == "attempt-1/"; });
  EXPECT_EQ(all.files.size(), 1U);
  EXPECT_TRUE(all.problems.first.empty());
  EXPECT_TRUE(all.cut.empty());
}

TEST_F(file_walk, a_folder_that_is_not_there_is_not_found) {
  refusal([&] { walk(folder / "none", 10); }, errc::not_found);
}

TEST_F(file_walk, a_link_or_a_file_in_its_place_is_not_found) {
  folder.put("file", "1");
  fs::create_directory_symlink("/etc", folder / "link");
  refusal([&] { walk(folder / "file", 10); }, errc::not_found);
  refusal([&] { walk(folder / "link", 10); }, errc::not_found);
}

TEST_F(file_walk, want_of_descriptors_is_no_missing_folder) {
  names held;
  std::vector<int> all;
  for (int fd = dup(0); fd >= 0 && all.size() < 100000; fd = dup(0))
    all.push_back(fd);
  std::string code;
  try {
    walk(folder.path(), 10);
  } catch (const failure& f) {
    code = to_string(f.code());
  }
  for (const int fd : all)
    close(fd);
  EXPECT_EQ(code, "internal");
}

} // namespace

} // namespace jobrunner
