#include "archive/tar_plan.hpp"
#include "core/sha256.hpp"
#include "temp_folder.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sys/stat.h>

namespace jobrunner::archive {

namespace {

namespace fs = std::filesystem;
using kind = tar_plan::place::kind;

std::string output_of(const std::string& command) {
  std::string all;
  std::array<char, 4096> piece{};
  auto* out = popen((command + " 2>&1").c_str(), "r");
  while (const auto n = fread(piece.data(), 1, piece.size(), out))
    all.append(piece.data(), n);
  return pclose(out) == 0 ? all : "failed: " + all;
}

found_file file(std::string path, std::uint64_t size, std::int64_t changed = 0) {
  return {std::move(path), static_cast<std::int64_t>(size), {1, size, changed, changed}};
}

struct tar : testing::Test {
  temp_folder folder, elsewhere;
  const std::string long_path = std::string(60, 'l') + "/" + std::string(39, 'm');

  void put_all() {
    folder.put("empty", "");
    folder.put("one", "1");
    folder.put("block", std::string(512, 'b'));
    folder.put("block and one", std::string(513, 'c'));
    folder.put("deep/er/est", "deep");
    folder.put("caf\xc3\xa9.txt", "non-ASCII");
    folder.put("-rf", "a dash");
    folder.put("new\nline", "control");
    folder.put(long_path, "exactly a hundred");
    folder.put(long_path + "n", "a hundred and one");
    folder.put(std::string(250, 'n') + "/" + std::string(250, '\xc3') + "x", "no UTF-8, left out");
    folder.put(std::string(250, 'n') + "/" + std::string(250, 'o'), "long");
    fs::create_symlink("/etc/passwd", folder / "link");
    for (const auto& f : walk(folder.path(), 1000))
      fs::last_write_time(folder / f.path,
                          fs::file_time_type::clock::from_sys(
                              std::chrono::sys_seconds{std::chrono::seconds{1'700'000'000}}));
  }

  tar_plan plan() { return tar_plan{walk(folder.path(), 1000)}; }

  /// As it would be sent.
  std::string bytes(const tar_plan& p, std::uint64_t first, std::uint64_t size) {
    std::string all;
    while (all.size() < size) {
      const auto at = p.at(first + all.size());
      const auto n = std::min(at.size, size - all.size());
      if (at.what == kind::zeros)
        all.append(n, '\0');
      else if (at.what == kind::head)
        all += p.head(at.member).substr(at.first, n);
      else
        all += folder.get(p.file(at.member).path).substr(at.first, n);
    }
    return all;
  }
  std::string all_of(const tar_plan& p) { return bytes(p, 0, p.size()); }
};

TEST_F(tar, gnu_tar_gets_every_file_back) {
  put_all();
  elsewhere.put("a.tar", all_of(plan()));
  fs::create_directory(elsewhere / "out");
  const auto said = output_of("tar -xf " + (elsewhere / "a.tar").string() + " -C " +
                              (elsewhere / "out").string());
  EXPECT_EQ(said, "");
  const auto before = walk(folder.path(), 1000);
  const auto after = walk(elsewhere / "out", 1000);
  ASSERT_EQ(before.size(), 11U);
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].path, before[i].path);
    EXPECT_EQ(elsewhere.get("out/" + after[i].path), folder.get(before[i].path));
    EXPECT_EQ(after[i].stamp.changed / 1'000'000'000, 1'700'000'000);
  }
}

TEST_F(tar, python_s_tarfile_reads_the_same_names_sizes_and_times) {
  put_all();
  elsewhere.put("a.tar", all_of(plan()));
  const auto listed =
      output_of("python3 -c 'import sys,tarfile\n"
                "for m in tarfile.open(sys.argv[1]):\n"
                " print(ascii(m.name),m.size,int(m.mtime),oct(m.mode),m.uid,m.gid,m.isreg())' " +
                (elsewhere / "a.tar").string());
  std::string wanted;
  for (const auto& f : walk(folder.path(), 1000)) {
    auto name = f.path == "caf\xc3\xa9.txt" ? "caf\\xe9.txt" : f.path;
    if (name == "new\nline")
      name = "new\\nline";
    wanted += "'" + name + "' " + std::to_string(f.bytes) + " 1700000000 0o644 0 0 True\n";
  }
  EXPECT_EQ(listed, wanted);
}

TEST_F(tar, its_first_header_is_what_gnu_tar_writes) {
  folder.put("one", "1");
  fs::last_write_time(folder / "one", fs::file_time_type::clock::from_sys(
                                          std::chrono::sys_seconds{std::chrono::seconds{7}}));
  const auto theirs =
      output_of("tar -c --format=ustar --owner=:0 --group=:0 --numeric-owner --mode=0644 -C " +
                folder.path().string() + " one");
  const auto ours = all_of(plan());
  ASSERT_GE(theirs.size(), ours.size());
  EXPECT_TRUE(ours == theirs.substr(0, ours.size()));
}

TEST_F(tar, any_range_is_that_part_of_the_whole) {
  put_all();
  const auto p = plan();
  const auto whole = all_of(p);
  ASSERT_EQ(whole.size(), p.size());
  std::set<std::uint64_t> borders{0, whole.size()};
  for (std::uint64_t at = 0; at < whole.size(); at += p.at(at).size) {
    borders.insert(at);
    borders.insert(at + 1);
    borders.insert(at + p.at(at).size - 1);
  }
  EXPECT_GT(borders.size(), 60U);
  for (const auto first : borders) {
    for (const auto last : borders) {
      if (first >= last)
        continue;
      ASSERT_TRUE(bytes(p, first, last - first) == whole.substr(first, last - first))
          << first << " to " << last;
    }
  }
}

TEST_F(tar, a_byte_at_a_time_is_the_same_archive) {
  put_all();
  const auto p = plan();
  const auto whole = all_of(p);
  for (std::uint64_t at = 0; at < whole.size(); at += 7)
    ASSERT_EQ(bytes(p, at, 1), whole.substr(at, 1)) << at;
}

TEST_F(tar, an_archive_of_nothing_is_one) {
  const tar_plan p{{}};
  EXPECT_EQ(p.size(), 1024U);
  elsewhere.put("a.tar", all_of(p));
  EXPECT_EQ(output_of("tar -tf " + (elsewhere / "a.tar").string()), "");
  EXPECT_EQ(p.changed(), std::chrono::sys_seconds{});
}

TEST_F(tar, the_tag_is_another_one_when_anything_is) {
  const auto tag = [](const found_file& f) { return tar_plan{{f}}.etag(); };
  const auto f = file("a", 5, 7);
  EXPECT_EQ(tag(f), tag(file("a", 5, 7)));
  EXPECT_TRUE(tag(f).starts_with("\"tar1-") && tag(f).ends_with('"'));
  std::set<std::string> tags{tag(f),
                             tag(file("b", 5, 7)),
                             tag(file("a", 6, 7)),
                             tag(file("a", 5, 8)),
                             tag({"a", 5, {2, 5, 7, 7}}),
                             tag({"a", 5, {1, 5, 7, 8}}),
                             tar_plan{{}}.etag(),
                             tar_plan{{f, file("b", 0)}}.etag(),
                             tar_plan{{file("a", 0), file("b", 0)}}.etag()};
  EXPECT_EQ(tags.size(), 9U);
}

TEST_F(tar, a_file_of_8_gib_or_more_has_its_size_in_a_pax_header) {
  constexpr std::uint64_t most = 077777777777;
  EXPECT_EQ((tar_plan{{file("a", most)}}.size()), 512 + most + 1 + 1024);
  const std::uint64_t tib = 1ULL << 40U;
  const tar_plan p{{file("a", most + 1), file("b", tib), file("c", 1)}};
  EXPECT_EQ(p.size(), (1536 + most + 1) + (1536 + tib) + (512 + 512) + 1024);
  const auto head = p.head(1);
  ASSERT_EQ(head.size(), 1536U);
  EXPECT_EQ(head[156], 'x');
  EXPECT_EQ(head.substr(512, 23), "22 size=1099511627776\n" + std::string(1, '\0'));
  EXPECT_EQ(p.at(1536 + most + 1 + 1536 + tib - 1), (tar_plan::place{kind::data, 1, tib - 1, 1}));
  EXPECT_EQ(p.at(1536 + most + 1 + 1536 + tib), (tar_plan::place{kind::head, 2, 0, 512}));
  // What a reader makes of it; of the data there are only headers to see.
  elsewhere.put("head.tar", head);
  EXPECT_EQ(output_of("python3 -c 'import sys,tarfile\n"
                      "print(tarfile.open(sys.argv[1]).next().size)' " +
                      (elsewhere / "head.tar").string()),
            std::to_string(tib) + "\n");
}

TEST_F(tar, times_before_1970_and_after_2242_are_the_nearest_that_fit) {
  const auto octal = [](std::int64_t seconds) {
    return tar_plan{{file("a", 0, seconds * 1'000'000'000)}}.head(0).substr(136, 11);
  };
  EXPECT_EQ(octal(-5), "00000000000");
  EXPECT_EQ(octal(9'000'000'000), "77777777777");
  EXPECT_EQ(octal(7), "00000000007");
}

TEST_F(tar, a_pax_record_counts_its_own_length) {
  for (std::size_t size = 101; size < 130; ++size) { // its length gets a third digit on the way
    const std::string path(size, 'p');
    const auto head = tar_plan{{file(path, 0)}}.head(0);
    const auto record = head.substr(512, head.find('\0', 512) - 512);
    EXPECT_EQ(std::stoul(record), record.size());
    EXPECT_TRUE(record.ends_with(" path=" + path + "\n"));
  }
}

} // namespace

} // namespace jobrunner::archive
