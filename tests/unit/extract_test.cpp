// Archives of every kind that is read, unpacked into a folder. What hostile ones do to the program
// as a whole is in tests/integration/test_extract.py.
#include "extract_stage.hpp"

#include <algorithm>
#include <array>
#include <thread>

namespace jobrunner::archive {
namespace {

using extract_test = extract_stage;

TEST_F(extract_test, every_format_and_compression_gives_the_same_files) {
  const auto big = noise(300000);
  for (const std::string format : {"ustar", "pax", "gnutar", "zip"})
    for (const std::string filter : {"", "gzip", "xz", "lzma", "zstd", "bzip2"}) {
      if (format == "zip" && !filter.empty())
        continue;
      SCOPED_TRACE(testing::Message() << format << " " << filter);
      made_archive a{format, filter};
      a.folder("d/").file("d/one", "1").file("empty", "").file("d/e/big", big);
      ASSERT_EQ(refusal(a.bytes(), format == "zip" ? kind::zip : kind::tar), "");
      EXPECT_EQ(content("d/one"), "1");
      EXPECT_EQ(content("d/e/big"), big);
      EXPECT_EQ(look("empty").st_size, 0);
    }
}

TEST_F(extract_test, the_totals_count_files_and_their_bytes) {
  made_archive a;
  const auto done = unpack(a.folder("d").file("d/a", "12345").file("b", "123").bytes());
  EXPECT_EQ(done.files, 2U);
  EXPECT_EQ(done.bytes, 8U);
}

TEST_F(extract_test, modes_are_ours_and_times_are_the_archives_within_reason) {
  made_archive a;
  a.folder("d", 02777, 1500000000).file("d/suid", "x", 04755).file("d/plain", "x", 0666);
  a.file("d/old", "x", 0, -5).file("d/far", "x", 0, std::int64_t{1} << 40U);
  unpack(a.bytes());
  EXPECT_EQ(look("d").st_mode & 07777U, 0555U);
  EXPECT_EQ(look("d").st_mtime, 1500000000);
  EXPECT_EQ(look("d/suid").st_mode & 07777U, 0555U);
  EXPECT_EQ(look("d/suid").st_mtime, 1000000000);
  EXPECT_EQ(look("d/plain").st_mode & 07777U, 0444U);
  EXPECT_EQ(look("d/old").st_mode & 07777U, 0444U);
  EXPECT_EQ(look("d/old").st_mtime, 0);
  EXPECT_LT(look("d/far").st_mtime, 5000000000);
}

TEST_F(extract_test, an_entry_for_the_top_folder_does_not_change_it) {
  const auto before = look("");
  made_archive a;
  unpack(a.folder("./", 0777, 5).file("./ok", "x").bytes());
  EXPECT_EQ(look("").st_mode, before.st_mode);
  EXPECT_NE(look("").st_mtime, 5);
}

TEST_F(extract_test, names_are_kept_byte_for_byte) {
  for (const std::string format : {"pax", "gnutar"}) {
    SCOPED_TRACE(format);
    made_archive a{format};
    a.file("\u00e9", "composed").file("e\u0301", "decomposed").file("\u4e2d\u6587", "x");
    ASSERT_EQ(refusal(a.bytes()), "");
    EXPECT_EQ(content("\u00e9"), "composed");
    EXPECT_EQ(content("e\u0301"), "decomposed");
    EXPECT_EQ(content("\u4e2d\u6587"), "x");
  }
}

TEST_F(extract_test, whatever_is_neither_file_nor_folder_refuses_the_archive) {
  made_archive link;
  EXPECT_NE(refusal(link.file("a", "x").link("l", "a").bytes()).find("\"l\" is a symbolic link"),
            std::string::npos);
  for (const unsigned type : {AE_IFIFO, AE_IFCHR, AE_IFBLK}) {
    made_archive special;
    EXPECT_NE(refusal(special.special("s", type).bytes()).find("\"s\" is a device"),
              std::string::npos);
  }
  made_archive zip{"zip"};
  EXPECT_NE(refusal(zip.link("l", "a").bytes(), kind::zip).find("symbolic link"),
            std::string::npos);
}

TEST_F(extract_test, a_second_file_of_a_name_refuses_the_archive) {
  made_archive twice;
  EXPECT_NE(refusal(twice.file("f", "1").file("./f", "2").bytes()).find("twice"),
            std::string::npos);
  EXPECT_EQ(content("f"), "1");
  made_archive inside;
  EXPECT_NE(refusal(inside.file("f", "1").file("f/g", "2").bytes()).find("is a file"),
            std::string::npos);
  made_archive folder;
  EXPECT_NE(refusal(folder.folder("f").file("f", "2").bytes()), "");
  made_archive folder_twice;
  EXPECT_EQ(refusal(folder_twice.folder("f").folder("f/").file("f/g", "2").bytes()), "");
}

TEST_F(extract_test, a_tar_from_a_pipe_is_read_to_its_end) {
  made_archive a{"ustar"};
  const auto bytes = a.file("f", "x").bytes() + std::string(1U << 20U, '\0');
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const unique_fd in{ends[0]};
  std::size_t written = 0;
  std::thread feeder{[&] {
    const unique_fd out{ends[1]};
    while (written < bytes.size())
      written += static_cast<std::size_t>(
          std::max<ssize_t>(0, ::write(out.get(), bytes.data() + written, bytes.size() - written)));
  }};
  set_locale(kind::tar);
  extract(in.get(), kind::tar, out_.get(), -1, most_, beside_);
  feeder.join();
  EXPECT_EQ(written, bytes.size());
  EXPECT_EQ(content("f"), "x");
}

TEST_F(extract_test, remove_leaves_the_folder_itself_and_what_links_point_to) {
  made_archive a;
  unpack(a.file("d/e/f", "12345").file("g", "1").bytes());
  const auto victim = home_ / "victim";
  std::ofstream{victim} << "precious";
  fs::create_symlink(victim, home_ / "out" / "link");
  fs::create_directory_symlink(home_, home_ / "out" / "folder_link");
  chmod((home_ / "out/d").c_str(), 0);

  const auto gone = remove_below(out_.get());
  EXPECT_EQ(gone.files, 4U);
  EXPECT_EQ(gone.bytes, 6U);
  EXPECT_TRUE(fs::is_empty(home_ / "out"));
  EXPECT_EQ(fs::file_size(victim), 8U);
}

} // namespace
} // namespace jobrunner::archive
