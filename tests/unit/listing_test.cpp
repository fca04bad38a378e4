// Hashes taken while files are written are those of the files.
#include "archive/listing.hpp"
#include "core/file_list.hpp"
#include "extract_stage.hpp"

namespace jobrunner::archive {
namespace {

struct listing_test : extract_stage {
  std::vector<listed_file> listed(const std::string& archive, kind what = kind::tar) {
    set_locale(what);
    const auto from = file_with(archive);
    const unique_fd list{::open((home_ / "list").c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600)};
    extract(from.get(), what, out_.get(), list.get(), most_, beside_);
    std::vector<listed_file> all;
    file_list read{home_ / "list"};
    while (auto one = read.next())
      all.push_back(std::move(*one));
    return all;
  }
  void TearDown() override {
    fs::remove(home_ / "list");
    extract_stage::TearDown();
  }
};

TEST_F(listing_test, every_file_is_listed_with_its_size_and_hash) {
  const auto large = noise(300000);
  made_archive a;
  const auto all = listed(a.folder("d").file("d/large", large).file("empty", "").bytes());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].path, "d/large");
  EXPECT_EQ(all[0].bytes, large.size());
  EXPECT_EQ(all[0].sha256, sha256_of(large));
  EXPECT_EQ(all[1].sha256, sha256_of(""));
}

TEST_F(listing_test, holes_count_as_the_zeros_that_they_read_as) {
  const unique_fd fd{memfd_create("list", 0)};
  listing all{fd.get()};
  const std::array data{std::byte{'x'}, std::byte{'y'}};
  all.begin();
  EXPECT_TRUE(all.add(100000, data));
  EXPECT_FALSE(all.add(50000, data)); // before what was hashed already
  all.end("sparse", 200000);
  all.finish();
  auto as_read = std::string(200000, '\0');
  as_read.replace(100000, 2, "xy");
  std::string line(200, '\0');
  line.resize(static_cast<std::size_t>(pread(fd.get(), line.data(), line.size(), 0)));
  EXPECT_EQ(line, to_line({"sparse", 200000, sha256_of(as_read)}));
}

} // namespace
} // namespace jobrunner::archive
