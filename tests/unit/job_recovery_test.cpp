// Jobs that were promised and that Slurm no longer knows.
#include "registry_stage.hpp"
#include "slurm/run_lock.hpp"

namespace jobrunner {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct job_recovery : registry_stage {
  job_recovery() { go(); }
  job accepted() { return submit()->value.value(); }
  job now(const job& j) { return get(j.id)->value.value(); }
  fs::path folder(const job& j) { return job_dir(with, j.uuid); }

  /// Slurm does not know the job for as long as it takes to believe that.
  void forgotten() {
    recall(look({}, 1s), true, {});
    recall(look({}, 32s), true, {});
  }
};

TEST_F(job_recovery, one_that_never_started_is_submitted_again_under_the_same_id) {
  const auto j = accepted();
  recall(look({}, 1s), true, {});
  recall(look({}, 30s), true, {});
  EXPECT_EQ(submitted.size(), 1U); // 29 s are not 30
  recall(look({}, 31s), true, {});
  ASSERT_EQ(submitted.size(), 2U);
  EXPECT_EQ(submitted[1].uuid, j.uuid);
  EXPECT_EQ(now(j).id, j.id);
  EXPECT_NE(now(j).slurm_id, j.slurm_id);
  EXPECT_EQ(now(j).state, "PENDING");
  EXPECT_EQ(now(j).reason, "submitted again: Slurm had lost it");
  EXPECT_GT(now(j).seq, j.seq);
  EXPECT_EQ(rows().at(0).slurm_id, now(j).slurm_id);
  look({report(now(j), "RUNNING")}, 40s);
  EXPECT_EQ(now(j).state, "RUNNING");
  EXPECT_EQ(now(j).reason, "");
}

TEST_F(job_recovery, one_that_waits_for_another_follows_it_with_its_new_number) {
  const auto first = accepted();
  auto r = request();
  r.extras.after = {first.id};
  const auto second = submit(r)->value.value();
  forgotten(); // both: the second must not be taken for one whose dependency is gone
  ASSERT_EQ(submitted.size(), 3U);
  EXPECT_EQ(submitted[2].uuid, first.uuid);
  EXPECT_EQ(submit(r)->value.has_value(), true); // Slurm has the first again
  recall(look({report(now(first), "PENDING")}, 40s), true, {});
  ASSERT_EQ(submitted.size(), 5U);
  EXPECT_EQ(submitted[4].uuid, second.uuid);
  EXPECT_EQ(submitted[4].after_ok, std::vector{now(first).slurm_id});
}

TEST_F(job_recovery, while_slurm_does_not_know_a_job_none_can_wait_for_it) {
  const auto first = accepted();
  look({}, 1s);
  auto r = request();
  r.extras.after = {first.id};
  EXPECT_EQ(submit(r)->error->code(), errc::unavailable);
}

TEST_F(job_recovery, one_whose_dependency_has_failed_meanwhile_never_starts) {
  const auto first = accepted();
  auto r = request();
  r.extras.after = {first.id};
  const auto second = submit(r)->value.value();
  look({report(first, "FAILED")}, 1s);
  forgotten();
  EXPECT_EQ(now(second).state, "CANCELLED");
  EXPECT_EQ(now(second).reason, "never started: job 101, which had to succeed first, is FAILED");
  EXPECT_EQ(submitted.size(), 2U);
}

TEST_F(job_recovery, it_is_submitted_once_though_slurm_takes_its_time) {
  const auto j = accepted();
  on_submit = nullptr;
  forgotten();
  recall(look({}, 60s), true, {});
  recall(look({}, 90s), true, {});
  EXPECT_EQ(submitted.size(), 2U);
}

TEST_F(job_recovery, while_slurm_is_away_it_is_tried_again_at_each_look) {
  const auto j = accepted();
  on_submit = [](const slurm::submission&) -> std::int64_t {
    throw failure(errc::unavailable, "away");
  };
  forgotten();
  EXPECT_FALSE(now(j).done);
  on_submit = [](const slurm::submission&) { return 700; };
  recall(look({}, 33s), true, {});
  EXPECT_EQ(now(j).slurm_id, 700);
}

TEST_F(job_recovery, what_slurm_will_not_take_again_is_lost_with_its_words) {
  const auto j = accepted();
  on_submit = [](const slurm::submission&) -> std::int64_t {
    throw failure(errc::invalid, "no such partition");
  };
  forgotten();
  EXPECT_EQ(now(j).state, "LOST");
  EXPECT_NE(now(j).reason.find("no such partition"), std::string::npos);
  EXPECT_EQ(submitted.size(), 2U);
}

TEST_F(job_recovery, one_that_started_and_died_without_a_record_is_lost) {
  const auto j = accepted();
  slurm::take_start(folder(j), j.slurm_id);
  forgotten();
  EXPECT_EQ(submitted.size(), 1U);
  EXPECT_EQ(now(j).state, "LOST");
  EXPECT_NE(now(j).reason.find("had started"), std::string::npos);
}

TEST_F(job_recovery, one_whose_wrapper_lives_runs_on_until_its_record_tells_the_end) {
  const auto j = accepted();
  auto lock = slurm::try_lock(folder(j));
  slurm::take_start(folder(j), j.slurm_id);
  forgotten();
  EXPECT_EQ(now(j).state, "RUNNING");
  EXPECT_NE(now(j).reason, "");
  recall(look({}, 600s), true, {});
  EXPECT_EQ(now(j).state, "RUNNING");
  slurm::write_exit(folder(j), {3, 0, timestamp{1s}, timestamp{2s}, 1});
  lock.reset();
  recall(look({}, 601s), true, {});
  EXPECT_EQ(now(j).state, "FAILED");
  EXPECT_EQ(now(j).exit_code, 3);
  EXPECT_EQ(submitted.size(), 1U);
}

TEST_F(job_recovery, one_whose_wrapper_lived_and_was_killed_is_lost) {
  const auto j = accepted();
  auto lock = slurm::try_lock(folder(j));
  slurm::take_start(folder(j), j.slurm_id);
  forgotten();
  lock.reset();
  recall(look({}, 60s), true, {});
  EXPECT_EQ(now(j).state, "LOST");
}

TEST_F(job_recovery, one_that_was_cancelled_is_not_submitted_again) {
  const auto j = accepted();
  cancel(j.id);
  forgotten();
  EXPECT_EQ(now(j).state, "CANCELLED");
  EXPECT_EQ(submitted.size(), 1U);
}

TEST_F(job_recovery, a_cancel_that_came_while_it_was_submitted_again_holds) {
  const auto j = accepted();
  on_submit = [&](const slurm::submission&) {
    caf::anon_send(registry, atom::cancel_v, cancel_order{j.id, "", {}}); // heard before the answer
    return 700;
  };
  forgotten();
  settle();
  EXPECT_EQ(cancelled.size(), 2U); // under the old number, and under the new one
  EXPECT_TRUE(now(j).cancel_requested);
}

TEST_F(job_recovery, one_that_a_dead_server_submitted_again_is_adopted) {
  const auto j = accepted();
  auto again = report(j, "PENDING");
  again.id = 700;
  look({again}, 1s);
  EXPECT_EQ(now(j).slurm_id, j.slurm_id); // any job could bear the name
  recall(look({again}, 2s), true, {});
  recall(look({again}, 40s), true, {});
  EXPECT_EQ(submitted.size(), 1U);
  EXPECT_EQ(now(j).slurm_id, 700);
}

TEST_F(job_recovery, without_an_answer_of_the_log_nothing_is_submitted_again) {
  accepted();
  recall(look({}, 1s), false, {});
  recall(look({}, 1h), false, {});
  EXPECT_EQ(submitted.size(), 1U);
}

struct job_unstarted : job_recovery {
  job_unstarted() { wrappers_start = false; }

  static slurm::report failed(const job& j) {
    auto r = report(j, "FAILED");
    r.node = "n1";
    r.exit_code = 2;
    return r;
  }
};

TEST_F(job_unstarted, one_that_slurm_calls_failed_is_submitted_again_once) {
  const auto j = accepted();
  look({report(j, "RUNNING")}, 1s);
  look({failed(j)}, 2s);
  ASSERT_EQ(submitted.size(), 2U);
  EXPECT_EQ(submitted[1].uuid, j.uuid);
  EXPECT_EQ(now(j).id, j.id);
  EXPECT_EQ(now(j).state, "PENDING");
  EXPECT_NE(now(j).reason.find("submitted again"), std::string::npos);
  EXPECT_NE(now(j).reason.find("FAILED"), std::string::npos);
  EXPECT_EQ(now(j).started_at, std::nullopt);
  go(); // also known to a server that comes later
  look({failed(now(j))}, 10s);
  EXPECT_EQ(submitted.size(), 2U);
  EXPECT_EQ(now(j).state, "FAILED");
  EXPECT_NE(now(j).reason.find("never started"), std::string::npos);
  EXPECT_NE(now(j).reason.find("exit code 2"), std::string::npos);
}

TEST_F(job_unstarted, one_that_slurm_calls_completed_is_not_and_fails_when_that_comes_again) {
  const auto j = accepted();
  look({report(j, "COMPLETED")}, 1s);
  ASSERT_EQ(submitted.size(), 2U);
  EXPECT_FALSE(now(j).done);
  look({report(now(j), "COMPLETED")}, 10s);
  EXPECT_EQ(submitted.size(), 2U);
  EXPECT_EQ(now(j).state, "FAILED");
  EXPECT_EQ(now(j).exit_code, std::nullopt);
  EXPECT_NE(now(j).reason.find("never started"), std::string::npos);
  EXPECT_NE(now(j).reason.find("COMPLETED"), std::string::npos);
}

TEST_F(job_unstarted, the_completion_log_is_no_better_witness) {
  const auto j = accepted();
  recall(look({}, 1s), true, {report(j, "COMPLETED")});
  EXPECT_EQ(submitted.size(), 2U);
  EXPECT_FALSE(now(j).done);
}

TEST_F(job_unstarted, what_ran_the_second_time_ends_as_slurm_says) {
  const auto j = accepted();
  look({failed(j)}, 1s);
  wrappers_start = true;
  look({failed(j), report(now(j), "COMPLETED")}, 10s);
  EXPECT_EQ(now(j).state, "COMPLETED");
}

TEST_F(job_unstarted, it_is_submitted_once_though_slurm_takes_its_time) {
  const auto j = accepted();
  on_submit = nullptr;
  look({failed(j)}, 1s);
  look({failed(j)}, 2s);
  EXPECT_EQ(submitted.size(), 2U);
}

TEST_F(job_unstarted, one_that_was_cancelled_is_not_submitted_again) {
  const auto j = accepted();
  cancel(j.id);
  look({failed(j)}, 1s);
  EXPECT_EQ(now(j).state, "CANCELLED");
  EXPECT_EQ(submitted.size(), 1U);
}

TEST_F(job_unstarted, what_slurm_cancelled_with_it_is_submitted_again_too) {
  const auto first = accepted();
  auto r = request();
  r.extras.after = {first.id};
  const auto second = submit(r)->value.value();
  look({failed(first), report(second, "CANCELLED")}, 1s);
  EXPECT_EQ(submitted.size(), 3U);
  EXPECT_FALSE(now(second).done);
  look({report(now(first), "PENDING"), report(second, "CANCELLED")}, 10s);
  ASSERT_EQ(submitted.size(), 4U);
  EXPECT_EQ(submitted[3].uuid, second.uuid);
  EXPECT_EQ(submitted[3].after_ok, std::vector{now(first).slurm_id});
  look({failed(now(first)), report(now(second), "CANCELLED")}, 20s);
  EXPECT_EQ(submitted.size(), 4U);
  EXPECT_EQ(now(second).state, "CANCELLED");
  EXPECT_NE(now(second).reason.find("never started"), std::string::npos);
}

TEST_F(job_unstarted, one_that_runs_though_the_second_sbatch_did_not_answer_is_followed) {
  const auto j = accepted();
  on_submit = [&](const slurm::submission& s) -> std::int64_t {
    slurm::take_start(s.job_dir, 700);
    throw failure(errc::unavailable, "no answer in time");
  };
  look({failed(j)}, 1s);
  auto again = report(j, "RUNNING");
  again.id = 700;
  look({failed(j), again}, 2s);
  EXPECT_EQ(now(j).slurm_id, 700);
  look({failed(j), again}, 10s);
  EXPECT_EQ(now(j).state, "RUNNING");
  EXPECT_EQ(submitted.size(), 2U);
}

TEST_F(job_unstarted, an_exit_record_alone_is_witness_enough) {
  const auto j = accepted();
  slurm::write_exit(folder(j), {0, 0, timestamp{1s}, timestamp{2s}, 1});
  look({report(j, "COMPLETED")}, 1s);
  EXPECT_EQ(now(j).state, "COMPLETED");
}

TEST_F(job_unstarted, where_there_is_no_place_for_marks_slurm_is_believed) {
  const auto j = accepted();
  fs::remove_all(folder(j));
  look({report(j, "COMPLETED")}, 1s);
  EXPECT_EQ(now(j).state, "COMPLETED");
  EXPECT_EQ(submitted.size(), 1U);
}

TEST_F(job_recovery, one_that_runs_for_slurm_alone_ends_by_its_record_and_its_ghost_is_cancelled) {
  const auto j = accepted();
  slurm::take_start(folder(j), j.slurm_id);
  slurm::write_exit(folder(j), {3, 0, timestamp{1s}, timestamp{2s}, 1});
  look({report(j, "RUNNING")}, 1s);
  look({report(j, "RUNNING")}, 30s);
  EXPECT_EQ(now(j).state, "RUNNING"); // slurmd may yet tell slurmctld
  look({report(j, "RUNNING")}, 32s);
  EXPECT_EQ(now(j).state, "FAILED");
  EXPECT_EQ(now(j).exit_code, 3);
  look({report(j, "RUNNING")}, 33s);
  EXPECT_EQ(cancelled, std::vector{j.uuid});
}

TEST_F(job_recovery, one_whose_processes_live_runs_whatever_is_recorded) {
  const auto j = accepted();
  auto lock = slurm::try_lock(folder(j));
  slurm::write_exit(folder(j), {0, 0, timestamp{1s}, timestamp{2s}, 1});
  look({report(j, "RUNNING")}, 1s);
  look({report(j, "RUNNING")}, 60s);
  EXPECT_EQ(now(j).state, "RUNNING");
  lock.reset();
  look({report(j, "RUNNING")}, 70s);
  EXPECT_EQ(now(j).state, "RUNNING");
  look({report(j, "RUNNING")}, 101s);
  EXPECT_EQ(now(j).state, "COMPLETED");
}

TEST_F(job_recovery, records_of_many_that_run_are_read_in_turn) {
  std::vector<job> all;
  for (int i = 0; i < 120; ++i)
    all.push_back(accepted());
  for (const auto& j : all)
    slurm::write_exit(folder(j), {0, 0, timestamp{1s}, timestamp{2s}, 1});
  const auto still = [&] {
    std::vector<slurm::report> shown;
    for (const auto& j : all)
      if (!now(j).done)
        shown.push_back(report(j, "RUNNING"));
    return shown;
  };
  for (int i = 0; i < 5; ++i)
    look(still(), 2s); // within a second
  look(still(), 4s);
  look(still(), 6s); // each has been looked at once
  EXPECT_EQ(still().size(), 120U);
  look(still(), 40s);
  EXPECT_EQ(still().size(), 70U);
  look(still(), 42s);
  look(still(), 44s);
  EXPECT_TRUE(still().empty());
}

TEST_F(job_recovery, a_number_that_the_disk_could_not_take_is_kept) {
  const auto j = accepted();
  on_submit = [&](const slurm::submission&) {
    database_fails();
    return 700;
  };
  forgotten();
  EXPECT_EQ(now(j).slurm_id, 700);
  database_works();
  look({report(now(j), "PENDING")}, 60s);
  EXPECT_EQ(rows().at(0).slurm_id, 700);
}

} // namespace

} // namespace jobrunner
