// What can be done to a job after its submit.
#include "expect_failure.hpp"
#include "registry_stage.hpp"

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

struct job_control_test : registry_stage {
  job_control_test() { go(); }
  job accepted() { return submit()->value.value(); }
  job accepted_after(std::vector<std::int64_t> ids) {
    return submit(after(std::move(ids)))->value.value();
  }
  job_request after(std::vector<std::int64_t> ids) const {
    auto r = request();
    r.extras.after = std::move(ids);
    return r;
  }
  job now(const job& j) { return get(j.id)->value.value(); }
};

TEST_F(job_control_test, a_cancel_with_grace_signals_first_and_ends_it_later) {
  const auto j = accepted();
  look({report(j, "RUNNING")});
  ASSERT_TRUE(cancel(j.id, "USR1", 20s)->value);
  EXPECT_EQ(signalled, (std::vector{std::pair{j.uuid, std::string{"USR1"}}}));
  EXPECT_TRUE(cancelled.empty());
  EXPECT_TRUE(now(j).cancel_requested);
  pass(19s);
  EXPECT_TRUE(cancelled.empty());
  pass(2s);
  EXPECT_EQ(cancelled, std::vector{j.uuid});
}

TEST_F(job_control_test, a_cancel_that_slurm_has_forgotten_is_sent_again) {
  const auto j = accepted();
  cancel(j.id, "", 0s);
  EXPECT_EQ(cancelled.size(), 1U);
  look({report(j, "RUNNING")}, 5s); // it may need a moment
  EXPECT_EQ(cancelled.size(), 1U);
  look({report(j, "PENDING")}, 20s);
  look({report(j, "PENDING")}, 25s);
  EXPECT_EQ(cancelled.size(), 2U);
  look({report(j, "PENDING")}, 40s);
  EXPECT_EQ(cancelled.size(), 3U);
  look({report(j, "CANCELLED")}, 60s);
  EXPECT_EQ(cancelled.size(), 3U);
}

TEST_F(job_control_test, nothing_is_sent_again_before_its_grace_is_over) {
  const auto j = accepted();
  cancel(j.id, "USR1", 3600s);
  look({report(j, "RUNNING")}, 60s);
  EXPECT_TRUE(cancelled.empty());
}

TEST_F(job_control_test, a_job_that_ends_within_its_grace_is_not_ended_again) {
  const auto j = accepted();
  cancel(j.id, "TERM", 20s);
  look({report(j, "COMPLETED")});
  pass(30s);
  EXPECT_TRUE(cancelled.empty());
  EXPECT_EQ(now(j).state, "COMPLETED");
}

TEST_F(job_control_test, a_second_signal_does_not_put_the_end_off) {
  const auto j = accepted();
  cancel(j.id, "USR1", 20s);
  pass(10s);
  cancel(j.id, "USR2", 600s);
  EXPECT_EQ(signalled.size(), 2U);
  pass(11s);
  EXPECT_EQ(cancelled.size(), 1U);
}

TEST_F(job_control_test, the_end_of_a_grace_outlives_the_process) {
  const auto j = accepted();
  cancel(j.id, "USR1", 20s);
  sched.clock().cancel_all(); // as the process does with its own
  go();
  look({report(j, "RUNNING")});
  pass(21s);
  EXPECT_EQ(cancelled, std::vector{j.uuid});
}

TEST_F(job_control_test, an_end_that_slurm_does_not_hear_of_is_tried_again) {
  const auto j = accepted();
  on_cancel = [](std::int64_t, const std::string&) { throw failure(errc::unavailable, "down"); };
  cancel(j.id, "USR1", 5s);
  pass(6s);
  pass(11s);
  EXPECT_EQ(cancelled.size(), 2U);
}

TEST_F(job_control_test, kill_and_no_grace_are_slurm_s_own_way) {
  const auto first = accepted(), second = accepted();
  cancel(first.id, "KILL", 20s);
  cancel(second.id, "USR1", 0s);
  EXPECT_TRUE(signalled.empty());
  EXPECT_EQ(cancelled.size(), 2U);
}

TEST_F(job_control_test, a_job_that_dies_by_the_signal_of_its_cancel_is_cancelled) {
  const auto by_signal = accepted(), by_itself = accepted(), failed = accepted();
  cancel(by_signal.id, "TERM", 20s);
  cancel(by_itself.id, "TERM", 20s);
  auto killed = report(by_signal, "FAILED"), gave_up = report(by_itself, "FAILED"),
       other = report(failed, "FAILED");
  killed.exit_code = other.exit_code = 143;
  gave_up.exit_code = 3;
  look({killed, gave_up, other});
  EXPECT_EQ(now(by_signal).state, "CANCELLED");
  EXPECT_TRUE(says(now(by_signal).reason, "cancelled: ended by signal 15"));
  EXPECT_EQ(now(by_itself).state, "FAILED");
  EXPECT_EQ(now(failed).state, "FAILED");
}

TEST_F(job_control_test, a_hold_keeps_a_waiting_job_and_a_release_lets_it_go) {
  const auto j = accepted();
  EXPECT_TRUE(hold(j.id, true)->value->held);
  EXPECT_EQ(held, std::vector{j.uuid});
  EXPECT_GT(now(j).seq, j.seq);
  EXPECT_TRUE(rows().at(0).held);
  hold(j.id, true); // again
  EXPECT_EQ(held.size(), 1U);
  EXPECT_FALSE(hold(j.id, false)->value->held);
  EXPECT_EQ(released, std::vector{j.uuid});
  hold(j.id, false);
  EXPECT_EQ(released.size(), 1U);
}

TEST_F(job_control_test, what_does_not_wait_cannot_be_held) {
  const auto j = accepted();
  look({report(j, "RUNNING")});
  const auto running = hold(j.id, true);
  EXPECT_EQ(running->error->code(), errc::conflict);
  EXPECT_TRUE(says(running->error->what(), "is RUNNING; only a job that waits"));
  look({report(j, "COMPLETED")});
  EXPECT_EQ(hold(j.id, true)->error->code(), errc::conflict);
  EXPECT_EQ(hold(j.id, false)->error->code(), errc::conflict);
  EXPECT_EQ(hold(99, true)->error->code(), errc::not_found);
  EXPECT_TRUE(held.empty());
}

TEST_F(job_control_test, a_hold_that_slurm_does_not_hear_is_not_noted) {
  const auto j = accepted();
  on_hold = [](const auto&, bool) { throw failure(errc::unavailable, "down"); };
  EXPECT_EQ(hold(j.id, true)->error->code(), errc::unavailable);
  EXPECT_FALSE(now(j).held);
}

TEST_F(job_control_test, a_job_can_be_submitted_on_hold) {
  auto r = request();
  r.hold = true;
  EXPECT_TRUE(submit(r)->value->held);
  EXPECT_TRUE(submitted.at(0).hold);
}

TEST_F(job_control_test, a_deleted_job_is_gone_and_its_number_is_not_given_again) {
  const auto j = accepted();
  look({report(j, "COMPLETED")});
  EXPECT_EQ(remove(j.id)->value, true);
  EXPECT_EQ(cleanings, 1);
  EXPECT_FALSE(published.jobs.find(j.id));
  const auto gone = get(j.id);
  EXPECT_EQ(gone->error->code(), errc::not_found);
  EXPECT_TRUE(says(gone->error->what(), "is deleted"));
  EXPECT_EQ(remove(j.id)->error->code(), errc::not_found);
  go();
  on_submit = [&](const slurm::submission&) { return j.id; }; // slurmctld has lost its state
  EXPECT_EQ(accepted().id, j.id + 1);
}

TEST_F(job_control_test, what_has_not_ended_or_is_needed_cannot_be_deleted) {
  const auto j = accepted();
  EXPECT_TRUE(says(remove(j.id)->error->what(), "is PENDING"));
  EXPECT_EQ(remove(j.id)->error->code(), errc::conflict);
  const auto second = accepted_after({j.id});
  look({report(j, "COMPLETED"), report(second, "RUNNING")});
  EXPECT_EQ(remove(j.id)->error->code(), errc::conflict);
  look({report(second, "COMPLETED")});
  EXPECT_EQ(remove(j.id)->value, true);
}

TEST_F(job_control_test, a_job_waits_for_those_that_run_and_not_for_those_that_have_succeeded) {
  const auto over = accepted(), running = accepted();
  look({report(over, "COMPLETED"), report(running, "RUNNING")});
  const auto j = accepted_after({over.id, running.id});
  EXPECT_EQ(submitted.back().after_ok, std::vector{running.slurm_id});
  EXPECT_EQ(j.extras.after, (std::vector{over.id, running.id}));
}

TEST_F(job_control_test, a_job_that_would_never_start_is_refused) {
  const auto failed = accepted();
  look({report(failed, "FAILED")});
  const auto conflict = submit(after({failed.id}));
  EXPECT_EQ(conflict->error->code(), errc::conflict);
  EXPECT_TRUE(says(conflict->error->what(), "has ended as FAILED"));
  const auto unknown = submit(after({99}));
  EXPECT_EQ(unknown->error->code(), errc::invalid);
  EXPECT_TRUE(says(unknown->error->what(), "after: no job has the id 99"));
  EXPECT_EQ(submitted.size(), 1U);
}

TEST_F(job_control_test, a_job_whose_dependency_failed_says_so) {
  const auto first = accepted();
  const auto second = accepted_after({first.id});
  look({report(first, "FAILED"), report(second, "CANCELLED")}); // in one look
  EXPECT_EQ(now(second).reason, "never started: job 101, which had to succeed first, is FAILED");
}

TEST_F(job_control_test, a_job_that_failed_carries_its_last_lines) {
  const auto failed = accepted(), well = accepted();
  for (const auto& j : {failed, well})
    root.put(j.log_path, "one\nTraceback\n");
  look({report(failed, "FAILED"), report(well, "COMPLETED")});
  EXPECT_EQ(published.jobs.find(failed.id)->log_tail, "one\nTraceback\n");
  EXPECT_EQ(rows().back().log_tail.empty(), rows().back().id != failed.id);
  EXPECT_EQ(now(well).log_tail, "");
}

TEST_F(job_control_test, the_experiment_is_the_one_its_outputs_were_indexed_under) {
  auto r = request();
  r.params_json = R"({"experimentId": "from-params"})";
  const auto by_params = submit(r)->value.value();
  EXPECT_EQ(by_params.experiment, "from-params");
  r.extras.experiment_id = "asked-for";
  const auto asked = submit(r)->value.value();
  EXPECT_EQ(asked.experiment, "asked-for");
  look({report(asked, "COMPLETED")}); // the stage's indexer says "e"
  EXPECT_EQ(now(asked).experiment, "e");
  EXPECT_EQ(now(asked).extras.experiment_id, "asked-for");
}

} // namespace

} // namespace jobrunner
