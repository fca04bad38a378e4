#include "actors/job_progress.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr timestamp early{1000s}, late{2000s};

struct job_progress : testing::Test {
  temp_folder folder; // the job's
  job was = [] {
    job j;
    j.id = j.slurm_id = 7;
    j.uuid = "u";
    j.state = "PENDING";
    j.seq = 3;
    return j;
  }();

  job_progress() { std::filesystem::create_directories(folder / "run"); }

  std::optional<job> after(const slurm::report& now) { return progress(was, now, folder.path()); }
  void recorded(int exit_code, int signal = 0) {
    slurm::write_exit(folder.path(), {exit_code, signal, early, late});
  }
};

slurm::report in(const std::string& state) {
  slurm::report r;
  r.id = 7;
  r.name = "jr-u";
  r.state = state;
  return r;
}

TEST_F(job_progress, nothing_new_is_no_progress) {
  EXPECT_FALSE(after(in("PENDING")));
}

TEST_F(job_progress, whoever_waits_on_makes_no_progress_and_all_others_may) {
  auto r = in("PENDING");
  r.reason = "Resources";
  EXPECT_FALSE(waits_on(was, r)) << "a new reason";
  was = after(r).value();
  EXPECT_TRUE(waits_on(was, r));
  EXPECT_FALSE(after(r));
  r.reason = "Priority";
  EXPECT_FALSE(waits_on(was, r));
  EXPECT_FALSE(waits_on(was, in("RUNNING")));
  was.state = "RUNNING";
  EXPECT_FALSE(waits_on(was, in("RUNNING")));
}

TEST_F(job_progress, a_new_state_has_the_next_number) {
  auto r = in("RUNNING");
  r.node = "n1";
  r.started_at = early;
  const auto j = after(r).value();
  EXPECT_EQ(j.state, "RUNNING");
  EXPECT_EQ(j.seq, 4);
  EXPECT_EQ(j.node, "n1");
  EXPECT_EQ(j.started_at, early);
  EXPECT_FALSE(j.done);
  EXPECT_FALSE(j.ended_at);
}

TEST_F(job_progress, a_new_reason_is_progress_too) {
  auto r = in("PENDING");
  r.reason = "Resources";
  EXPECT_EQ(after(r)->reason, "waiting for free resources");
}

TEST_F(job_progress, what_was_known_does_not_get_lost) {
  was.node = "n1";
  was.started_at = early;
  const auto j = after(in("COMPLETED")).value();
  EXPECT_EQ(j.node, "n1");
  EXPECT_EQ(j.started_at, early);
}

TEST_F(job_progress, completing_is_no_end) {
  EXPECT_FALSE(after(in("COMPLETING"))->done);
}

TEST_F(job_progress, the_exit_record_says_how_it_ended) {
  recorded(7);
  const auto j = after(in("FAILED")).value();
  EXPECT_TRUE(j.done);
  EXPECT_EQ(j.exit_code, 7);
  EXPECT_EQ(j.exit_signal, std::nullopt);
  EXPECT_EQ(j.started_at, early);
  EXPECT_EQ(j.ended_at, late);
  EXPECT_EQ(j.reason, "the command ended with exit code 7");
}

TEST_F(job_progress, without_a_record_slurm_says_it) {
  auto r = in("FAILED");
  r.exit_code = 0;
  r.signal = 9;
  r.ended_at = late;
  const auto j = after(r).value();
  EXPECT_EQ(j.exit_code, 0);
  EXPECT_EQ(j.exit_signal, 9);
  EXPECT_EQ(j.ended_at, late);
}

TEST_F(job_progress, an_end_always_has_a_time) {
  const auto before = now();
  EXPECT_GE(after(in("NODE_FAIL"))->ended_at.value(), before);
}

TEST_F(job_progress, a_cancel_of_others_is_told_from_ours) {
  EXPECT_EQ(after(in("CANCELLED"))->reason, "cancelled, but not through this API");
  was.cancel_requested = true;
  EXPECT_EQ(after(in("CANCELLED"))->reason, "cancelled");
}

TEST_F(job_progress, a_cancelled_job_does_not_take_the_exit_code_of_its_signal_handler) {
  recorded(143, 15);
  auto running = in("CANCELLED");
  running.node = "n1";
  EXPECT_EQ(after(running)->exit_code, std::nullopt);
}

TEST_F(job_progress, a_job_that_ran_while_slurm_took_it_for_waiting_ends_as_its_record_says) {
  recorded(0, 0);
  auto waiting = in("CANCELLED");
  waiting.node.clear();
  EXPECT_EQ(after(waiting)->state, "COMPLETED");
  EXPECT_TRUE(after(waiting)->done);
  waiting.node = "n1";
  waiting.started_at = late + 1s; // a second start, which came to nothing
  EXPECT_EQ(after(waiting)->state, "COMPLETED");
  waiting.started_at = early; // it was cancelled, and ended well all the same
  EXPECT_EQ(after(waiting)->state, "CANCELLED");
}

TEST_F(job_progress, a_record_alone_tells_success_failure_and_cancel) {
  EXPECT_EQ(ended_by_record(was, {0, 0, early, late}).state, "COMPLETED");
  EXPECT_EQ(ended_by_record(was, {1, 0, early, late}).state, "FAILED");
  EXPECT_EQ(ended_by_record(was, {137, 9, early, late}).state, "FAILED");
  EXPECT_EQ(ended_by_record(was, {137, 9, early, late}).exit_signal, 9);
  was.cancel_requested = true;
  EXPECT_EQ(ended_by_record(was, {143, 15, early, late}).state, "CANCELLED");
  EXPECT_EQ(ended_by_record(was, {0, 0, early, late}).state, "COMPLETED");
  const auto j = ended_by_record(was, {0, 0, early, late});
  EXPECT_TRUE(j.done);
  EXPECT_EQ(j.seq, 4);
  EXPECT_EQ(j.ended_at, late);
}

TEST_F(job_progress, the_attempt_is_the_one_that_the_marker_or_the_record_names) {
  slurm::take_start(folder.path(), 7);
  EXPECT_EQ(after(in("RUNNING"))->attempt, 1);
  slurm::take_over_start(folder.path(), 8, 2);
  EXPECT_EQ(after(in("RUNNING"))->attempt, 2);
  EXPECT_EQ(after(in("COMPLETED"))->attempt, 2);
  was.state = "RUNNING";
  EXPECT_EQ(after(in("RUNNING"))->seq, 4); // a change that clients hear of
  EXPECT_EQ(ended_by_record(was, {0, 0, early, late, 3}).attempt, 3);
}

TEST_F(job_progress, an_end_of_a_job_that_left_no_mark_is_not_its_end) {
  for (const auto* by_itself : {"COMPLETED", "FAILED"})
    EXPECT_TRUE(ended_unstarted(in(by_itself), folder.path())) << by_itself;
  for (const auto* other : {"CANCELLED", "TIMEOUT", "NODE_FAIL", "RUNNING", "PENDING"})
    EXPECT_FALSE(ended_unstarted(in(other), folder.path())) << other;
  auto refused = in("FAILED");
  refused.reason = "BadConstraints";
  EXPECT_FALSE(ended_unstarted(refused, folder.path()));
  recorded(0);
  EXPECT_FALSE(ended_unstarted(in("COMPLETED"), folder.path()));
  std::filesystem::remove(folder / "run/exit.json");
  slurm::take_start(folder.path(), 7);
  EXPECT_FALSE(ended_unstarted(in("COMPLETED"), folder.path()));
  EXPECT_FALSE(ended_unstarted(in("COMPLETED"), folder / "none")); // of another program
}

TEST_F(job_progress, what_never_started_fails_with_what_slurm_says_of_it) {
  auto r = in("FAILED");
  r.node = "n1";
  r.exit_code = 2;
  const auto j = never_started(was, r);
  EXPECT_EQ(j.state, "FAILED");
  EXPECT_TRUE(j.done);
  EXPECT_EQ(j.seq, 4);
  EXPECT_EQ(j.node, "n1");
  EXPECT_TRUE(j.ended_at);
  EXPECT_EQ(j.exit_code, std::nullopt);
  EXPECT_EQ(j.reason, "the job never started, though it was submitted again; Slurm says FAILED "
                      "with exit code 2");
  r.reason = "JobLaunchFailure";
  r.exit_code = 0;
  r.signal = 53;
  EXPECT_NE(never_started(was, r).reason.find("its log file or folder"), std::string::npos);
}

TEST_F(job_progress, one_that_runs_though_slurm_forgot_it_says_so_once) {
  const auto j = runs_unknown(was, 2);
  ASSERT_TRUE(j);
  EXPECT_EQ(j->state, "RUNNING");
  EXPECT_EQ(j->attempt, 2);
  EXPECT_FALSE(j->done);
  EXPECT_NE(j->reason, "");
  EXPECT_FALSE(runs_unknown(*j, 2));
}

TEST_F(job_progress, what_is_lost_or_cancelled_unstarted_has_ended) {
  for (const auto& j : {lost(was, "why"), cancelled_unstarted(was)}) {
    EXPECT_TRUE(j.done);
    EXPECT_EQ(j.seq, 4);
    EXPECT_TRUE(j.ended_at);
    EXPECT_FALSE(j.exit_code);
  }
  EXPECT_EQ(lost(was, "why").state, "LOST");
  EXPECT_EQ(lost(was, "why").reason, "why");
  EXPECT_EQ(cancelled_unstarted(was).state, "CANCELLED");
}

} // namespace

} // namespace jobrunner
