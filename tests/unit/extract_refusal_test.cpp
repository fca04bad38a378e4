// Archives that are broken, cut, too large or none at all.
#include "extract_stage.hpp"

namespace jobrunner::archive {
namespace {

using extract_refusal_test = extract_stage;

TEST_F(extract_refusal_test, a_tar_without_its_end_mark_is_refused) {
  made_archive a{"ustar"};
  const auto whole = a.file("f", std::string(512, 'x')).bytes();
  EXPECT_EQ(refusal(whole.substr(0, 2048)), "") << "header, data, two blocks of zeros";
  EXPECT_NE(refusal(whole.substr(0, 1536)), "") << "one block of zeros";
  EXPECT_NE(refusal(whole.substr(0, 1024)).find("cut off"), std::string::npos) << "none";
  EXPECT_NE(refusal(whole.substr(0, 700)), "");
}

TEST_F(extract_refusal_test, what_is_no_archive_is_refused) {
  EXPECT_NE(refusal("").find("empty"), std::string::npos);
  EXPECT_NE(refusal("", kind::zip).find("empty"), std::string::npos);
  EXPECT_NE(refusal("x"), "");
  EXPECT_NE(refusal(noise(20000)), "");
  EXPECT_NE(refusal(noise(20000), kind::zip), "");
  EXPECT_NE(refusal(std::string(10240, '\0')).find("no files"), std::string::npos);
  EXPECT_NE(refusal("#mtree\nf type=file contents=/etc/passwd\n"), "");
  for (const std::string format : {"cpio", "ar", "7zip", "iso9660"}) {
    made_archive other{format};
    EXPECT_NE(refusal(other.file("f", "x").bytes()), "") << format;
  }
  made_archive zip{"zip"};
  EXPECT_NE(refusal(zip.file("f", "x").bytes(), kind::tar), "");
}

TEST_F(extract_refusal_test, a_flipped_bit_in_a_checksum_is_noticed) {
  for (const std::string filter : {"gzip", "xz", "bzip2"}) {
    made_archive a{"ustar", filter};
    auto bytes = a.file("f", noise(1000)).bytes();
    ASSERT_EQ(refusal(bytes), "") << filter;
    bytes.at(bytes.size() - 6) ^= 1; // gzip's CRC-32, in xz the footer, in bzip2 the combined CRC
    EXPECT_NE(refusal(bytes), "") << filter;
  }
}

TEST_F(extract_refusal_test, gzip_members_one_after_the_other_are_one_stream) {
  made_archive plain{"ustar"};
  const auto whole = plain.file("f", noise(5000)).bytes();
  const auto squeeze = [](const std::string& part) {
    made_archive a{"raw", "gzip"};
    return a.file("data", part).bytes();
  };
  const auto both = squeeze(whole.substr(0, 3000)) + squeeze(whole.substr(3000));
  EXPECT_EQ(refusal(both), "");
  EXPECT_EQ(content("f"), noise(5000));
  EXPECT_NE(refusal(squeeze(whole.substr(0, 3000))), "");
  EXPECT_NE(refusal(squeeze(squeeze(whole))), "") << "compressed twice";
}

TEST_F(extract_refusal_test, the_budgets_hold_to_the_byte_and_to_the_entry) {
  made_archive bytes;
  const auto ten = bytes.file("a", "12345").file("b", "12345").bytes();
  most_.max_bytes = 10;
  EXPECT_EQ(refusal(ten), "");
  most_.max_bytes = 9;
  EXPECT_NE(refusal(ten).find("larger than 9 bytes"), std::string::npos);

  most_ = {1000, 3, 0};
  made_archive three;
  EXPECT_EQ(refusal(three.file("d/e/f", "").bytes()), "") << "two folders that nobody named";
  made_archive four;
  EXPECT_NE(refusal(four.file("d/e/f", "").file("g", "").bytes()).find("more than 3"),
            std::string::npos);
}

TEST_F(extract_refusal_test, a_disk_that_would_become_too_full_stops_it) {
  most_.min_free_bytes = UINT64_MAX;
  most_.max_bytes = 1U << 26U;
  made_archive a{"ustar", "gzip"};
  EXPECT_NE(refusal(a.file("f", std::string(40U << 20U, 'x')).bytes(), kind::tar, errc::disk_full),
            "");
}

TEST_F(extract_refusal_test, what_is_wrong_first_is_what_is_said) {
  // Files are written on another thread, while the rest of the archive is read.
  for (int i = 0; i < 20; ++i) {
    made_archive a{"ustar", "xz"};
    a.file("twice", "1").file("twice", "2").file("large", std::string(100000, 'x')).link("l", "/");
    EXPECT_NE(refusal(a.bytes()).find("is there twice"), std::string::npos);
    made_archive b{"ustar", "xz"};
    b.link("l", "/").file("twice", "1").file("twice", "2");
    EXPECT_NE(refusal(b.bytes()).find("symbolic link"), std::string::npos);
  }
}

TEST_F(extract_refusal_test, a_writer_that_fails_stops_a_long_archive) {
  most_.max_bytes = 1U << 26U;
  made_archive a{"ustar", "gzip"};
  a.file("twice", "1").file("twice", "2");
  for (int i = 0; i < 30; ++i)
    a.file("large" + std::to_string(i), std::string(1U << 20U, 'x'));
  EXPECT_NE(refusal(a.bytes()).find("is there twice"), std::string::npos);
}

TEST_F(extract_refusal_test, swelling_is_counted_against_what_was_read) {
  budget spent{{UINT64_MAX, 10, 0}};
  spent.consumed(1000);
  spent.unpacked(256U << 20U);
  spent.unpacked(250000);
  EXPECT_THROW(spent.unpacked(251), failure);
  budget holes{{UINT64_MAX, 10, 0}};
  EXPECT_THROW(holes.grow(1ULL << 43U), failure);
}

TEST_F(extract_refusal_test, a_zip_that_lies_about_its_entries_is_refused) {
  made_archive a{"zip"};
  auto bytes = a.file("f", "1").file("g", "2").bytes();
  ASSERT_EQ(refusal(bytes, kind::zip), "");
  auto more = bytes;
  more.at(more.size() - 14) = more.at(more.size() - 12) = 3; // on this disk, and in all
  EXPECT_NE(refusal(more, kind::zip).find("names 3 entries"), std::string::npos);
  auto broken = bytes;
  broken.at(broken.find("PK\1\2") + 3) = 'x'; // libarchive alone would pass over that record
  EXPECT_NE(refusal(broken, kind::zip), "");
}

} // namespace
} // namespace jobrunner::archive
