// What the registry makes of looks at Slurm: states, ends, losses, and jobs of unknown fate.
#include "registry_stage.hpp"

namespace jobrunner {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using slurm_ids = std::vector<std::int64_t>;

struct job_looks : registry_stage {
  job_looks() { go(); }
  job accepted() { return submit()->value.value(); }
  job now(const job& j) { return get(j.id)->value.value(); }
  fs::path folder(const job& j) { return job_dir(with, j.uuid); }

  /// A row as a crash between sbatch and its answer leaves it, found by the next registry.
  job crashed() {
    on_submit = nullptr;
    const auto r = submit();
    const auto uuid = submitted.back().uuid;
    go();
    on_submit = [](const slurm::submission&) { return 500; };
    job j;
    j.uuid = uuid;
    r->hang_up.emit(boost::asio::cancellation_type::terminal);
    settle();
    return j;
  }
};

TEST_F(job_looks, a_new_state_is_published_saved_and_numbered) {
  const auto j = accepted();
  EXPECT_TRUE(look({report(j, "RUNNING")}).empty());
  EXPECT_EQ(published.jobs.find(j.id)->state, "RUNNING");
  EXPECT_EQ(published.jobs.find(j.id)->seq, j.seq + 1);
  EXPECT_EQ(rows().at(0).state, "RUNNING");
  look({report(j, "RUNNING")});
  EXPECT_EQ(now(j).seq, j.seq + 1); // nothing new
}

TEST_F(job_looks, an_end_is_pushed_to_the_indexer_and_then_marked) {
  const auto j = accepted();
  look({report(j, "COMPLETED")});
  ASSERT_EQ(indexed.size(), 1U);
  EXPECT_EQ(indexed[0].id, j.id);
  EXPECT_TRUE(now(j).done);
  EXPECT_TRUE(now(j).indexed);
  EXPECT_TRUE(published.jobs.find(j.id)->indexed);
  EXPECT_GT(now(j).seq, indexed[0].seq); // which wakes whoever waits for it
}

TEST_F(job_looks, indexing_that_fails_is_tried_again) {
  const auto j = accepted();
  on_index = [](const job&) { throw failure(errc::disk_full, "full"); };
  look({report(j, "COMPLETED")});
  EXPECT_FALSE(now(j).indexed);
  on_index = [](const job&) {};
  pass(30s);
  EXPECT_EQ(indexed.size(), 2U);
  EXPECT_TRUE(now(j).indexed);
}

TEST_F(job_looks, an_index_that_cannot_be_marked_is_tried_again) {
  const auto j = accepted();
  on_index = [this](const job&) { database_fails(); };
  look({report(j, "COMPLETED")});
  EXPECT_FALSE(now(j).indexed);
  database_works();
  on_index = [](const job&) {};
  pass(30s);
  EXPECT_TRUE(now(j).indexed);
}

TEST_F(job_looks, a_job_whose_folder_is_gone_is_not_indexed_for_ever) {
  const auto j = accepted();
  on_index = [](const job&) { throw failure(errc::not_found, "no folder"); };
  look({report(j, "COMPLETED")});
  EXPECT_TRUE(now(j).indexed);
  pass(60s);
  EXPECT_EQ(indexed.size(), 1U);
}

TEST_F(job_looks, what_was_not_indexed_before_a_crash_is_afterwards) {
  const auto j = accepted();
  on_index = nullptr; // still at it
  look({report(j, "COMPLETED")});
  on_index = [](const job&) {};
  go();
  EXPECT_EQ(indexed.size(), 2U);
  EXPECT_TRUE(now(j).indexed);
}

TEST_F(job_looks, a_look_that_the_disk_cannot_take_changes_nothing_and_the_next_one_does) {
  const auto j = accepted();
  const auto waiting = wait(j.id, j.seq);
  database_fails();
  EXPECT_THROW(look({report(j, "COMPLETED")}), failure);
  EXPECT_FALSE(waiting->over());
  EXPECT_EQ(now(j).state, "PENDING");
  EXPECT_EQ(published.jobs.find(j.id)->state, "PENDING");
  database_works();
  look({report(j, "COMPLETED")});
  EXPECT_TRUE(waiting->value);
  EXPECT_EQ(now(j).state, "COMPLETED");
}

TEST_F(job_looks, what_slurm_still_holds_of_a_job_that_has_ended_is_cancelled) {
  const auto j = accepted(), other = accepted();
  for (const auto& one : {j, other}) {
    auto ended = report(one, "COMPLETED");
    ended.ended_at = jobrunner::now() - 60s;
    look({ended});
    ASSERT_TRUE(now(one).done);
  }
  look({report(j, "COMPLETING"), report(other, "COMPLETED")});
  EXPECT_EQ(cancelled, std::vector{j.uuid});
  look({report(j, "RUNNING")}, 5s);
  EXPECT_EQ(cancelled.size(), 1U);
  look({report(j, "RUNNING")}, 20s);
  EXPECT_EQ(cancelled.size(), 2U);
  EXPECT_EQ(now(j).state, "COMPLETED");
}

TEST_F(job_looks, a_job_that_has_just_ended_may_be_in_the_queue_for_a_moment) {
  const auto j = accepted();
  look({report(j, "COMPLETED")});
  look({report(j, "COMPLETING")});
  EXPECT_TRUE(cancelled.empty());
}

TEST_F(job_looks, a_look_from_before_the_submission_does_not_miss_the_job) {
  const auto j = accepted();
  EXPECT_TRUE(look({}, -1s).empty());
  EXPECT_EQ(look({}, 1s), slurm_ids{j.slurm_id});
}

TEST_F(job_looks, a_job_of_another_name_with_the_number_is_not_ours) {
  const auto j = accepted();
  auto other = report(j, "COMPLETED");
  other.name = "jr-other";
  EXPECT_EQ(look({other}), slurm_ids{j.slurm_id});
  EXPECT_EQ(now(j).state, "PENDING");
}

TEST_F(job_looks, a_forged_name_with_another_number_changes_nothing) {
  const auto j = accepted();
  auto forged = report(j, "FAILED");
  forged.id = 99;
  EXPECT_TRUE(look({forged, report(j, "RUNNING")}).empty());
  EXPECT_EQ(now(j).state, "RUNNING");
}

TEST_F(job_looks, the_completion_log_tells_the_end_of_a_job_that_the_queue_forgot) {
  const auto j = accepted();
  const auto missing = look({});
  auto forged = report(j, "FAILED");
  forged.name = "jr-other";
  recall(missing, true, {forged, report(j, "COMPLETED")});
  EXPECT_EQ(now(j).state, "COMPLETED");
}

TEST_F(job_looks, the_exit_record_tells_it_where_the_log_cannot_be_read) {
  const auto j = accepted();
  slurm::write_exit(folder(j), {0, 0, timestamp{1s}, timestamp{2s}});
  recall(look({}), false, {});
  EXPECT_EQ(now(j).state, "COMPLETED");
  EXPECT_EQ(now(j).ended_at, timestamp{2s});
}

TEST_F(job_looks, without_an_answer_of_the_log_nothing_is_lost) {
  const auto j = accepted();
  recall(look({}, 1s), true, {});
  recall(look({}, 1h), false, {});
  EXPECT_EQ(now(j).state, "PENDING");
}

TEST_F(job_looks, a_job_that_shows_again_starts_anew_to_be_missing) {
  const auto j = accepted();
  recall(look({}, 1s), true, {});
  look({report(j, "PENDING")}, 20s);
  recall(look({}, 40s), true, {});
  EXPECT_EQ(now(j).state, "PENDING");
}

TEST_F(job_looks, what_accounting_takes_for_running_and_nobody_shows_is_lost_too) {
  const auto j = accepted();
  slurm::take_start(folder(j), j.slurm_id);
  recall(look({}, 1s), true, {report(j, "RUNNING")});
  recall(look({}, 40s), true, {report(j, "RUNNING")});
  EXPECT_EQ(now(j).state, "LOST");
}

TEST_F(job_looks, an_intent_of_a_crash_is_adopted_from_the_queue) {
  auto j = crashed();
  auto shown = report(j, "RUNNING"), forged = shown;
  shown.id = 7;
  forged.id = 9; // of a job that gave its own the name
  look({forged, shown});
  const auto adopted = get(7);
  ASSERT_TRUE(adopted->value);
  EXPECT_EQ(adopted->value->uuid, j.uuid);
  EXPECT_EQ(adopted->value->state, "RUNNING");
  EXPECT_EQ(rows().at(0).id, 7);
}

TEST_F(job_looks, an_intent_that_the_queue_forgot_is_adopted_from_its_start_marker) {
  const auto j = crashed();
  slurm::take_start(folder(j), 7);
  slurm::write_exit(folder(j), {0, 0, timestamp{1s}, timestamp{2s}});
  look({});
  EXPECT_EQ(get(7)->value->uuid, j.uuid);
  recall(look({}, 10s), true, {});
  EXPECT_EQ(get(7)->value->state, "COMPLETED");
}

TEST_F(job_looks, an_intent_that_never_came_to_slurm_is_withdrawn_and_cannot_run) {
  const auto j = crashed();
  look({});
  EXPECT_TRUE(rows().empty());
  EXPECT_TRUE(slurm::read_start(folder(j))->abandoned);
  EXPECT_FALSE(slurm::take_start(folder(j), 7));
}

TEST_F(job_looks, a_withdrawn_job_that_slurm_shows_later_is_cancelled_once) {
  const auto j = crashed();
  look({});
  auto shown = report(j, "PENDING");
  shown.id = 7;
  look({shown});
  look({shown});
  EXPECT_EQ(cancelled, std::vector{j.uuid});
  EXPECT_TRUE(rows().empty());
}

TEST_F(job_looks, an_intent_whose_wrapper_is_about_to_write_its_number_waits_for_it) {
  const auto j = crashed();
  root.put("jobs/" + j.uuid + "/run/start", "");
  look({}, 1s);
  EXPECT_EQ(rows().size(), 1U);
  root.put("jobs/" + j.uuid + "/run/start", "7\n");
  look({}, 2s);
  EXPECT_EQ(get(7)->value->uuid, j.uuid);
}

TEST_F(job_looks, an_intent_with_a_spoilt_marker_is_given_up_after_a_while) {
  const auto j = crashed();
  root.put("jobs/" + j.uuid + "/run/start", "spoilt");
  look({}, 1s);
  look({}, 40s);
  EXPECT_TRUE(rows().empty());
}

TEST_F(job_looks, one_intent_that_cannot_be_settled_does_not_stop_the_others) {
  const auto bad = crashed();
  const auto good = crashed();
  fs::remove_all(folder(bad) / "run");
  root.put("jobs/" + bad.uuid + "/run", "a file, in which no marker can be");
  look({});
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].uuid, bad.uuid);
}

TEST_F(job_looks, an_intent_without_a_folder_is_withdrawn) {
  const auto j = crashed();
  fs::remove_all(folder(j));
  look({});
  EXPECT_TRUE(rows().empty());
}

TEST_F(job_looks, a_job_that_runs_though_sbatch_gave_no_answer_is_adopted_at_the_next_look) {
  on_submit = [](const slurm::submission& s) -> std::int64_t {
    slurm::take_start(s.job_dir, 0); // its wrapper, which has not written its number yet
    throw failure(errc::unavailable, "no answer in time");
  };
  EXPECT_EQ(submit()->error->code(), errc::unavailable);
  EXPECT_EQ(rows().size(), 1U);
  slurm::report shown;
  shown.id = 7;
  shown.name = "jr-" + submitted.back().uuid;
  shown.state = "RUNNING";
  look({shown});
  EXPECT_EQ(get(7)->value->state, "RUNNING");
}

TEST_F(job_looks, no_more_than_a_thousand_jobs_are_looked_up_at_once) {
  {
    auto db = store::open(root.path());
    store::jobs all{db};
    sqlite::transaction t{db};
    for (int id = 1; id <= 1500; ++id) {
      job j;
      j.uuid = std::to_string(id);
      all.insert_intent(j);
      j.id = j.slurm_id = id;
      j.state = "PENDING";
      all.update(j);
      fs::create_directories(folder(j) / "run");
      slurm::take_start(folder(j), id);
    }
    t.commit();
  }
  go();
  EXPECT_EQ(look({}, 1s).size(), 1000U);
  recall(look({}, 40s), true, {});
  const auto rest = look({}, 41s);
  EXPECT_EQ(rest.size(), 500U); // the first thousand are lost
  recall(rest, true, {});
  EXPECT_TRUE(look({}, 42s).empty());
}

} // namespace

} // namespace jobrunner
