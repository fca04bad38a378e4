#include "actors/board.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

job a_job(std::int64_t id, bool done) {
  job j;
  j.id = id;
  j.done = done;
  return j;
}

TEST(job_board, the_newest_snapshot_is_found_and_an_old_one_stays_as_it_was) {
  job_board board;
  EXPECT_EQ(board.find(7), nullptr);
  auto j = a_job(7, false);
  j.state = "PENDING";
  board.publish(j);
  const auto before = board.find(7);
  j.state = "RUNNING";
  board.publish(j);
  EXPECT_EQ(before->state, "PENDING");
  EXPECT_EQ(board.find(7)->state, "RUNNING");
}

TEST(job_board, the_last_that_ended_stay_and_older_ones_go) {
  job_board board;
  board.publish(a_job(1, false)); // never goes
  for (std::int64_t id = 2; id <= 10002; ++id)
    board.publish(a_job(id, true));
  EXPECT_EQ(board.find(2), nullptr);
  EXPECT_NE(board.find(3), nullptr);
  EXPECT_NE(board.find(10002), nullptr);
  EXPECT_NE(board.find(1), nullptr);
}

TEST(job_board, a_job_that_changes_after_its_end_counts_once) {
  job_board board;
  for (int i = 0; i < 20000; ++i)
    board.publish(a_job(1, true));
  board.publish(a_job(2, true));
  EXPECT_NE(board.find(1), nullptr);
}

TEST(dataset_board, a_dataset_is_found_by_its_sha256) {
  dataset_board board;
  board.publish({"abc", "datasets/abc/", 7, {}});
  EXPECT_EQ(board.find("abc")->bytes, 7);
  EXPECT_EQ(board.find("abd"), nullptr);
}

dataset a_dataset(const std::string& sha256, int minute, std::vector<std::string> tags = {}) {
  dataset d{sha256, "", 0, timestamp{std::chrono::minutes{minute}}};
  d.tags = std::move(tags);
  return d;
}

std::string listed(const dataset_board& board, std::string_view tag = "",
                   const std::optional<dataset_cursor>& behind = {}, std::size_t limit = 10) {
  std::string all;
  for (const auto& d : board.list(tag, behind, limit))
    all += d->sha256;
  return all;
}

TEST(dataset_board, the_list_is_newest_first_and_goes_on_behind_any_place) {
  dataset_board board;
  for (const auto& d : {a_dataset("b", 2), a_dataset("c", 3), a_dataset("a", 2), a_dataset("d", 1)})
    board.publish(d);
  EXPECT_EQ(listed(board), "cbad");
  EXPECT_EQ(listed(board, "", {}, 2), "cb");
  EXPECT_EQ(listed(board, "", dataset_cursor{timestamp{std::chrono::minutes{2}}, "b"}), "ad");
  board.withdraw("b"); // the one that a page ended with
  EXPECT_EQ(listed(board, "", dataset_cursor{timestamp{std::chrono::minutes{2}}, "b"}), "ad");
  EXPECT_EQ(listed(board, "", dataset_cursor{timestamp{std::chrono::minutes{0}}, "x"}), "");
}

TEST(dataset_board, a_tag_that_is_taken_away_no_longer_finds_it) {
  dataset_board board;
  board.publish(a_dataset("a", 1, {"x", "y"}));
  board.publish(a_dataset("b", 2, {"x"}));
  EXPECT_EQ(listed(board, "x"), "ba");
  board.publish(a_dataset("b", 2, {"z"}));
  EXPECT_EQ(listed(board, "x"), "a");
  EXPECT_EQ(listed(board, "z"), "b");
  board.withdraw("a");
  EXPECT_EQ(listed(board, "x"), "");
  EXPECT_EQ(listed(board), "b");
}

TEST(dataset_board, a_use_counts_though_the_snapshot_is_older) {
  dataset_board board;
  board.publish(a_dataset("a", 1));
  const auto before = now();
  ASSERT_NE(board.use("a"), nullptr);
  board.publish(a_dataset("a", 1));
  EXPECT_GE(board.used_at("a"), before);
  EXPECT_EQ(board.use("b"), nullptr);
}

TEST(slurm_board, slurm_is_down_until_it_was_seen) {
  slurm_board board;
  EXPECT_FALSE(board.view().up);
  EXPECT_FALSE(board.view().problem.empty());
  slurm_view seen;
  seen.up = seen.b2_mounted = true;
  board.publish(seen);
  EXPECT_TRUE(board.view().up);
}

TEST(stale_since, what_is_known_holds_while_slurm_answers) {
  using namespace std::chrono_literals;
  const std::chrono::steady_clock::time_point now{1h};
  slurm_view v;
  EXPECT_EQ(stale_since(v, now), timestamp{}); // nothing is known yet
  v.answers = true;
  v.answered = now;
  v.answered_at = timestamp{7s};
  EXPECT_FALSE(stale_since(v, now + 5s));
  EXPECT_EQ(stale_since(v, now + 11s), timestamp{7s}); // the look under way does not end
  v.answers = false;
  EXPECT_EQ(stale_since(v, now + 1s), timestamp{7s});
}

} // namespace

} // namespace jobrunner
