#include "core/digest.hpp"
#include "core/hex.hpp"
#include "core/sha256.hpp"
#include "expect_failure.hpp"
#include "s3/landing.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace jobrunner::s3 {

namespace {

namespace fs = std::filesystem;

std::string etag_of(const std::string& bytes) {
  const auto digest = md5_of(bytes);
  return "\"" + to_hex({reinterpret_cast<const unsigned char*>(digest.data()), digest.size()}) +
         "\"";
}

struct landing_test : testing::Test {
  temp_folder folder;
  std::vector<object> objects;
  std::vector<std::string> paths, contents;

  void add(const std::string& path, const std::string& bytes) {
    objects.push_back({"p/" + path, bytes.size(), etag_of(bytes)});
    paths.push_back(path);
    contents.push_back(bytes);
  }
  landing open(bool encrypted = false) {
    return {folder.path(), objects, paths, {0, [=](const object&) { return encrypted; }}};
  }
  /// Feeds it what is missing, in pieces, but at most so many.
  void feed(landing& into, std::uint64_t piece_bytes, int most = 1 << 20) {
    cutter all{objects, piece_bytes, into.first(), into.offset()};
    for (piece p; most > 0 && all.next(p); --most)
      into.write(p, {contents[p.object].data() + p.offset, p.size});
  }
};

TEST_F(landing_test, files_arrive_whole_with_their_hashes_and_nobody_may_change_them) {
  add("a.txt", "hello");
  add("d/e/empty", "");
  add("d/long", std::string(100000, 'x'));
  auto l = open();
  feed(l, 4096);
  const auto& files = l.finish();
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].sha256, sha256_of("hello"));
  EXPECT_EQ(files[1].sha256, sha256_of(""));
  EXPECT_EQ(folder.get("data/d/long"), contents[2]);
  EXPECT_EQ(fs::status(folder / "data/a.txt").permissions(), fs::perms{0444});
  EXPECT_EQ(fs::status(folder / "data/d/e").permissions(), fs::perms{0755});
  EXPECT_EQ(l.bytes(), 100005U);
}

TEST_F(landing_test, a_server_whose_journal_cannot_be_synced_ends) {
  // fsync(2) of /dev/null is EINVAL: as with any error but a full disk, nobody knows what is there.
  EXPECT_EXIT(journal{"/dev/null"}.append({{"done", 1}}), testing::ExitedWithCode(EXIT_FAILURE),
              "write_lost.*a transfer's journal");
}

TEST_F(landing_test, after_a_crash_whole_files_are_kept_and_the_rest_comes_again) {
  add("a", "first");
  add("b", std::string(5000, 'b'));
  add("c", "third");
  {
    auto l = open();
    feed(l, 1000, 3); // a, and 2000 bytes of b that nobody has synced
  }
  auto l = open();
  EXPECT_EQ(l.first(), 1U);
  EXPECT_EQ(l.offset(), 0U);
  EXPECT_EQ(l.bytes(), 5U);
  feed(l, 1000);
  EXPECT_EQ(l.finish()[1].sha256, sha256_of(contents[1]));
  EXPECT_EQ(folder.get("data/b"), contents[1]);
}

TEST_F(landing_test, a_large_file_goes_on_where_it_was_durable) {
  const std::uint64_t mebibyte = 1U << 20U;
  add("large", std::string(100 * mebibyte, 'l'));
  contents[0][70 * mebibyte] = 'X';
  objects[0].etag = etag_of(contents[0]);
  {
    auto l = open();
    feed(l, mebibyte, 80);
  }
  auto l = open();
  EXPECT_EQ(l.offset(), 64 * mebibyte);
  feed(l, mebibyte);
  EXPECT_EQ(l.finish()[0].sha256, sha256_of(contents[0]));
}

TEST_F(landing_test, an_object_that_changed_meanwhile_starts_all_over) {
  add("a", "first");
  add("b", "second");
  {
    auto l = open();
    feed(l, 1000, 1);
  }
  contents[0] = "FIRST";
  objects[0].etag = etag_of("FIRST");
  auto l = open();
  EXPECT_EQ(l.first(), 0U);
  feed(l, 1000);
  EXPECT_EQ(l.finish()[0].sha256, sha256_of("FIRST"));
}

TEST_F(landing_test, a_file_that_was_cut_or_lost_behind_our_back_comes_again) {
  add("a", "first");
  {
    auto l = open();
    feed(l, 1000);
  }
  fs::permissions(folder / "data/a", fs::perms{0644});
  fs::resize_file(folder / "data/a", 2);
  EXPECT_EQ(open().first(), 0U);
  fs::remove(folder / "data/a");
  auto l = open();
  EXPECT_EQ(l.first(), 0U);
  feed(l, 1000);
  EXPECT_EQ(folder.get("data/a"), "first");
}

TEST_F(landing_test, a_journal_whose_last_line_was_cut_is_read_up_to_it) {
  add("a", "first");
  add("b", "second");
  {
    auto l = open();
    feed(l, 1000);
  }
  fs::resize_file(folder / "journal", fs::file_size(folder / "journal") - 3);
  auto l = open();
  EXPECT_EQ(l.first(), 1U);
  feed(l, 1000);
  l.finish();
}

TEST_F(landing_test, bytes_that_are_not_those_of_the_etag_are_refused) {
  add("a", "first");
  contents[0] = "wrong";
  auto l = open();
  const auto why = refusal([&] { feed(l, 1000); }, errc::unprocessable);
  EXPECT_TRUE(says(why, "ETag")) << why;
  auto encrypted = open(true); // whose ETag is no MD5, though it looks like one
  feed(encrypted, 1000);
  encrypted.finish();
}

TEST_F(landing_test, a_file_where_a_folder_must_be_is_refused) {
  add("a", "file");
  add("a/b", "below it");
  auto l = open();
  const auto why = refusal([&] { feed(l, 1000); }, errc::unprocessable);
  EXPECT_TRUE(says(why, "both a file and a folder")) << why;
}

TEST_F(landing_test, a_folder_where_a_file_must_be_is_refused) {
  add("a/b", "below it");
  add("a", "file");
  auto l = open();
  refusal([&] { feed(l, 1000); }, errc::unprocessable);
}

TEST_F(landing_test, what_is_not_all_there_cannot_end) {
  add("a", "first");
  add("b", "second");
  auto l = open();
  feed(l, 1000, 1);
  refusal([&] { l.finish(); }, errc::internal);
}

TEST_F(landing_test, a_full_disk_is_told) {
  add("a", std::string(32U << 20U, 'a'));
  landing l{folder.path(), objects, paths, {1ULL << 60U, [](const object&) { return false; }}};
  refusal([&] { feed(l, 1U << 20U); }, errc::disk_full);
}

TEST(landing, a_manifest_has_a_line_for_each_file_in_the_order_of_their_bytes) {
  const std::vector<landed> files{
      {"b", 1, "22"}, {"a/z", 2, "11"}, {"a", 3, "00"}, {"a-b", 4, "33"}, {"B", 5, "44"}};
  EXPECT_EQ(manifest_of(files), "44 5 B\n00 3 a\n33 4 a-b\n11 2 a/z\n22 1 b\n");
}

TEST(cutter, objects_are_cut_in_order_and_an_empty_one_is_an_empty_piece) {
  const std::vector<object> objects{{"a", 5, ""}, {"b", 0, ""}, {"c", 4, ""}};
  const auto cut = [&](std::size_t first, std::uint64_t offset) {
    std::string all;
    cutter c{objects, 2, first, offset};
    for (piece p; c.next(p);)
      all += std::to_string(p.object) + ":" + std::to_string(p.offset) + "+" +
             std::to_string(p.size) + " ";
    return all;
  };
  EXPECT_EQ(cut(0, 0), "0:0+2 0:2+2 0:4+1 1:0+0 2:0+2 2:2+2 ");
  EXPECT_EQ(cut(0, 4), "0:4+1 1:0+0 2:0+2 2:2+2 ");
  EXPECT_EQ(cut(2, 2), "2:2+2 ");
  EXPECT_EQ(cut(3, 0), "");
}

} // namespace

} // namespace jobrunner::s3
