#include "actors/scrub.hpp"
#include "core/sha256.hpp"
#include "expect_failure.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

struct scrub_test : testing::Test {
  temp_folder root;
  const std::string sha = std::string(64, 'a');
  const std::string large = std::string(3000000, 'x');
  dataset about{sha, "datasets/" + sha + "/", 0, {}};

  scrub_test() {
    fs::create_directories(root / "datasets/.files");
    put("d/large", large);
    put("small", "small");
    list(to_line({"d/large", large.size(), sha256_of(large)}) +
         to_line({"small", 5, sha256_of("small")}));
  }
  void put(const std::string& name, const std::string& bytes) {
    root.put("datasets/" + sha + "/" + name, bytes);
  }
  void list(const std::string& text) { root.put("datasets/.files/" + sha, text); }
  std::string damage() {
    scrub s{root.path(), about};
    while (s.step(1000)) {
    }
    return s.damage();
  }
};

TEST_F(scrub_test, files_that_are_as_they_were_are_fine) {
  EXPECT_EQ(damage(), "");
}

TEST_F(scrub_test, one_flipped_byte_is_found_and_the_file_named) {
  auto other = large;
  other[2000000] = 'y';
  put("d/large", other);
  EXPECT_EQ(damage(), "\"d/large\" has other bytes than when it was stored");
}

TEST_F(scrub_test, a_file_that_is_cut_gone_or_a_link_is_found) {
  put("small", "smal");
  EXPECT_EQ(damage(), "\"small\" has 4 bytes instead of 5");
  fs::remove(root / ("datasets/" + sha + "/small"));
  EXPECT_TRUE(says(damage(), "\"small\" cannot be opened"));
  root.put("elsewhere", "small");
  fs::create_symlink(root / "elsewhere", root / ("datasets/" + sha + "/small"));
  EXPECT_TRUE(says(damage(), "\"small\" cannot be opened"));
}

TEST_F(scrub_test, a_file_too_many_is_found) {
  put("d/planted", "");
  EXPECT_EQ(damage(), "1 files lie there that are not of the dataset");
}

TEST_F(scrub_test, of_many_faults_the_first_is_named_and_the_rest_counted) {
  put("d/large", "");
  put("small", "SMALL");
  EXPECT_EQ(damage(), "\"d/large\" has 0 bytes instead of 3000000, and 1 more");
}

TEST_F(scrub_test, a_plain_file_is_held_against_its_own_name) {
  about.sha256 = sha256_of("plain");
  about.rel_path = "datasets/" + about.sha256 + "/p.bin";
  about.bytes = 5;
  root.put(about.rel_path, "plain");
  EXPECT_EQ(damage(), "");
  root.put(about.rel_path, "plaiN");
  EXPECT_TRUE(says(damage(), "\"p.bin\" has other bytes"));
}

TEST_F(scrub_test, a_dataset_without_a_list_gets_one_to_be_held_against_from_then_on) {
  fs::remove(root / ("datasets/.files/" + sha));
  EXPECT_EQ(damage(), "");
  file_list made{root / ("datasets/.files/" + sha)};
  std::size_t files = 0;
  while (const auto f = made.next()) {
    EXPECT_EQ(f->sha256, sha256_of(f->path == "small" ? "small" : large));
    ++files;
  }
  EXPECT_EQ(files, 2U);
  put("small", "other");
  EXPECT_NE(damage(), "");
}

TEST_F(scrub_test, a_list_that_is_damaged_itself_says_nothing_about_the_files) {
  list("nonsense\n");
  refusal([&] { damage(); }, errc::internal);
}

} // namespace

} // namespace jobrunner
