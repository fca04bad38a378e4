#include "actors/dataset_store.hpp"
#include "expect_failure.hpp"
#include "world.hpp"

#include <gtest/gtest.h>
#include <limits>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

struct dataset_store_test : testing::Test, world {
  const std::string other = std::string(64, 'b');

  arrival arrive(dataset_store& store, const std::string& text = "data") {
    const auto staging = store.begin(text.size());
    fs::create_directory(fs::path{staging} / "data");
    std::ofstream{fs::path{staging} / "data/a.txt"} << text;
    return {staging, sha, "a.txt", false, static_cast<std::int64_t>(text.size())};
  }
  std::vector<dataset> rows() {
    auto db = store::open(root.path());
    return store::datasets{db}.all();
  }
  std::size_t staged() const {
    return static_cast<std::size_t>(std::distance(
        fs::directory_iterator{root / "datasets/.staging"}, fs::directory_iterator{}));
  }
};

TEST_F(dataset_store_test, a_committed_upload_is_a_dataset_that_cannot_be_changed) {
  dataset_store store{with};
  const auto made = store.commit(arrive(store));
  EXPECT_EQ(made.sha256, sha);
  EXPECT_EQ(made.rel_path, "datasets/" + sha + "/a.txt");
  EXPECT_EQ(made.bytes, 4);
  EXPECT_EQ(root.get(made.rel_path), "data");
  EXPECT_EQ(fs::status(root / ("datasets/" + sha)).permissions(), fs::perms{0555});
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(published.datasets.find(sha)->rel_path, made.rel_path);
}

TEST_F(dataset_store_test, an_extracted_one_is_its_folder) {
  dataset_store store{with};
  auto a = arrive(store);
  a.extracted = true;
  EXPECT_EQ(store.commit(a).rel_path, "datasets/" + sha + "/");
}

TEST_F(dataset_store_test, the_same_content_again_answers_the_one_that_is_there) {
  dataset_store store{with};
  const auto first = store.commit(arrive(store));
  auto again = arrive(store);
  again.filename = "b.txt";
  EXPECT_EQ(store.commit(again).rel_path, first.rel_path);
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(dataset_store_test, no_more_uploads_than_the_limit_are_under_way) {
  dataset_store store{with};
  const auto first = store.begin(0);
  store.begin(0);
  refusal([&] { store.begin(0); }, errc::too_many);
  store.abort(first);
  EXPECT_FALSE(store.begin(0).empty());
}

TEST_F(dataset_store_test, an_upload_that_does_not_fit_is_refused_before_it_begins) {
  dataset_store store{with};
  refusal([&] { store.begin(std::numeric_limits<std::uint64_t>::max()); }, errc::disk_full);
  settings.min_free_bytes = std::numeric_limits<std::uint64_t>::max();
  refusal([&] { store.begin(0); }, errc::disk_full);
  EXPECT_EQ(staged(), 0U);
}

TEST_F(dataset_store_test, a_dataset_whose_row_cannot_be_written_goes_back_and_can_come_again) {
  dataset_store store{with};
  const auto a = arrive(store);
  auto db = store::open(root.path());
  db.run("CREATE TRIGGER full BEFORE INSERT ON datasets BEGIN SELECT RAISE(ABORT, 'full'); END");
  EXPECT_THROW(store.commit(a), failure);
  EXPECT_FALSE(fs::exists(root / ("datasets/" + sha)));
  EXPECT_TRUE(fs::exists(fs::path{a.staging} / "data/a.txt"));
  EXPECT_EQ(published.datasets.find(sha), nullptr);
  db.run("DROP TRIGGER full");
  EXPECT_EQ(store.commit(a).sha256, sha);
}

TEST_F(dataset_store_test, a_crash_s_remains_go_at_the_start) {
  root.put("datasets/.staging/left/data/part", "1");
  root.put("datasets/.staging/empty/x", "1");
  root.put("datasets/" + sha + "/a.txt", "1"); // without a row
  root.put("datasets/notes/mine.txt", "1");    // no dataset's name: not ours
  const dataset_store store{with};
  EXPECT_EQ(staged(), 0U);
  EXPECT_FALSE(fs::exists(root / ("datasets/" + sha)));
  EXPECT_TRUE(fs::exists(root / "datasets/notes/mine.txt"));
}

TEST_F(dataset_store_test, what_is_there_at_the_start_is_published) {
  {
    dataset_store store{with};
    store.commit(arrive(store));
  }
  boards fresh;
  const services again{settings, extractors, slurm, fresh, getgid()};
  const dataset_store store{again};
  EXPECT_EQ(fresh.datasets.find(sha)->bytes, 4);
}

TEST_F(dataset_store_test, a_row_whose_files_are_gone_is_not_shown_and_not_forgotten) {
  {
    auto db = store::open(root.path());
    store::datasets table{db};
    table.put({sha, "datasets/" + sha + "/", 1, {}});
    table.put({other, "datasets/" + other + "/gone.txt", 1, {}});
  }
  root.put("datasets/" + other + "/renamed.txt", "somebody's"); // its folder stays, too
  dataset_store store{with};
  EXPECT_EQ(published.datasets.find(sha), nullptr);
  EXPECT_EQ(published.datasets.find(other), nullptr);
  EXPECT_EQ(rows().size(), 2U);
  EXPECT_TRUE(fs::exists(root / ("datasets/" + other + "/renamed.txt")));
  EXPECT_EQ(store.commit(arrive(store)).rel_path, "datasets/" + sha + "/a.txt"); // and comes back
  auto again = arrive(store);
  again.sha256 = other;
  EXPECT_EQ(store.commit(again).rel_path, "datasets/" + other + "/a.txt");
  EXPECT_EQ(root.get("datasets/" + other + "/a.txt"), "data");
}

} // namespace

} // namespace jobrunner
