#include "actors/dataset_store.hpp"
#include "expect_failure.hpp"
#include "store/jobs.hpp"
#include "world.hpp"

#include <gtest/gtest.h>
#include <limits>
#include <optional>
#include <thread>

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

TEST_F(dataset_store_test, a_removed_one_leaves_neither_row_nor_files) {
  dataset_store store{with};
  auto a = arrive(store);
  a.extracted = true;
  std::ofstream{fs::path{a.staging} / "files"} << "list";
  store.commit(a);
  EXPECT_EQ(root.get("datasets/.files/" + sha), "list");
  EXPECT_EQ(store.remove(sha).sha256, sha);
  EXPECT_TRUE(rows().empty());
  EXPECT_EQ(published.datasets.find(sha), nullptr);
  EXPECT_FALSE(fs::exists(root / ("datasets/" + sha)));
  EXPECT_FALSE(fs::exists(root / ("datasets/.files/" + sha)));
  refusal([&] { store.remove(sha); }, errc::not_found);
}

TEST_F(dataset_store_test, one_that_an_open_job_needs_stays_until_that_is_done) {
  dataset_store store{with};
  store.commit(arrive(store));
  auto db = store::open(root.path());
  store::jobs jobs{db};
  job j;
  j.uuid = "u";
  j.dataset_sha = sha;
  jobs.insert_intent(j);
  refusal([&] { store.remove(sha); }, errc::conflict);
  EXPECT_TRUE(fs::exists(root / ("datasets/" + sha + "/a.txt")));
  j.id = j.slurm_id = 7;
  j.done = true;
  jobs.update(j);
  EXPECT_EQ(store.remove(sha).sha256, sha);
}

TEST_F(dataset_store_test, what_people_say_about_it_is_kept_and_the_rest_left) {
  {
    dataset_store store{with};
    store.commit(arrive(store));
    store.edit(sha, {{{"a", "b"}}, "note", {}});
    EXPECT_TRUE(store.edit(sha, {{}, {}, true}).pinned);
    refusal([&] { store.edit(other, {}); }, errc::not_found);
  }
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(rows()[0].note, "note");
  EXPECT_TRUE(rows()[0].pinned);
}

TEST_F(dataset_store_test, lists_without_a_dataset_go_at_the_start) {
  root.put("datasets/.files/" + sha, "x");
  const dataset_store store{with};
  EXPECT_FALSE(fs::exists(root / ("datasets/.files/" + sha)));
}

/// Three datasets of 10 bytes each, used in the order c, a, b; the limit is 35.
struct dataset_room_test : dataset_store_test {
  const std::string c = std::string(64, 'c'), d = std::string(64, 'd');
  dataset_store& filled() {
    settings.max_dataset_bytes = 35;
    it.emplace(with);
    for (const auto& name : {sha, other, c})
      add(name);
    for (const auto& name : {c, sha, other}) {
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
      published.datasets.use(name);
    }
    return *it;
  }
  void add(const std::string& name) {
    auto a = arrive(*it, "0123456789");
    a.sha256 = name;
    it->commit(a);
    it->abort(a.staging);
  }
  bool there(const std::string& name) const { return published.datasets.find(name) != nullptr; }
  std::optional<dataset_store> it;
};

TEST_F(dataset_room_test, the_least_recently_used_goes_first) {
  filled();
  add(d);
  EXPECT_FALSE(there(c));
  EXPECT_FALSE(fs::exists(root / ("datasets/" + c)));
  EXPECT_TRUE(there(sha) && there(other) && there(d));
  EXPECT_EQ(rows().size(), 3U);
}

TEST_F(dataset_room_test, never_what_is_pinned_or_needed) {
  auto& store = filled();
  store.edit(c, {{}, {}, true});
  auto db = store::open(root.path());
  job j;
  j.uuid = "u";
  j.dataset_sha = sha;
  store::jobs{db}.insert_intent(j);
  add(d);
  EXPECT_TRUE(there(c) && there(sha) && there(d));
  EXPECT_FALSE(there(other));
}

TEST_F(dataset_room_test, where_nothing_may_go_the_new_one_is_refused_before_it_begins) {
  auto& store = filled();
  for (const auto& name : {sha, other, c})
    store.edit(name, {{}, {}, true});
  const auto why = refusal([&] { store.begin(6); }, errc::disk_full);
  EXPECT_TRUE(says(why, "JR_MAX_DATASET_BYTES")) << why;
  EXPECT_FALSE(store.begin(5).empty());
  EXPECT_TRUE(there(sha) && there(other) && there(c));
}

TEST_F(dataset_room_test, a_lowered_limit_is_met_at_the_next_tick) {
  filled();
  settings.max_dataset_bytes = 20;
  it->tick();
  EXPECT_FALSE(there(c));
  EXPECT_TRUE(there(sha) && there(other));
}

TEST_F(dataset_room_test, a_use_is_written_down_when_it_is_much_newer_and_not_before) {
  auto& store = filled();
  const auto written = rows()[0].used_at;
  store.tick();
  EXPECT_EQ(rows()[0].used_at, written);
  auto old = *published.datasets.find(sha);
  old.used_at -= std::chrono::hours{1};
  {
    auto db = store::open(root.path());
    store::datasets{db}.put(old);
  }
  published.datasets.publish(old);
  published.datasets.use(sha);
  store.tick();
  EXPECT_GT(rows()[0].used_at, old.used_at + std::chrono::minutes{59});
}

} // namespace

} // namespace jobrunner
