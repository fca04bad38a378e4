// Arrays: all tasks or none, whatever happens in the middle.
#include "expect_failure.hpp"
#include "registry_stage.hpp"

#include <algorithm>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

struct job_arrays_test : registry_stage {
  job_arrays_test() { go(); }
  job_request array(const std::string& tasks) const {
    auto r = request();
    r.array = tasks;
    return r;
  }
  std::vector<job> accepted(const std::string& tasks) {
    return submit_array(array(tasks))->value.value();
  }
  std::size_t open_rows() { return rows().size(); }
  void end(const job& j, const std::string& state) { look({report(j, state)}); }
};

TEST_F(job_arrays_test, each_task_is_a_job_of_its_own_and_all_share_an_array) {
  const auto tasks = accepted("3,5-6");
  ASSERT_EQ(tasks.size(), 3U);
  ASSERT_EQ(submitted.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(tasks[i].array_uuid, tasks[0].array_uuid);
    EXPECT_EQ(tasks[i].array_index, (std::vector<std::int64_t>{3, 5, 6})[i]);
    EXPECT_EQ(tasks[i].id, 101 + static_cast<std::int64_t>(i));
    EXPECT_EQ(submitted[i].uuid, tasks[i].uuid);
    EXPECT_EQ(get(tasks[i].id)->value->array_uuid, tasks[0].array_uuid);
    const auto env = slurm::read_spec(submitted[i].job_dir).env;
    EXPECT_NE(std::ranges::find(env, "SLURM_ARRAY_TASK_ID=" + std::to_string(tasks[i].array_index)),
              env.end());
    EXPECT_NE(std::ranges::find(env, "SLURM_ARRAY_TASK_MAX=6"), env.end());
  }
  EXPECT_EQ(open_rows(), 3U);
}

TEST_F(job_arrays_test, slurm_holds_every_task_until_it_has_the_last) {
  std::size_t known = 0;
  on_hold = [&](const auto& uuids, bool on) {
    EXPECT_FALSE(on);
    EXPECT_EQ(uuids.size(), 3U);
    for (const auto& j : rows())
      known += j.id != 0; // durable by now
  };
  const auto tasks = accepted("1-3");
  for (const auto& s : submitted)
    EXPECT_TRUE(s.hold);
  EXPECT_EQ(known, 3U);
  EXPECT_EQ(released.size(), 3U);
  EXPECT_FALSE(tasks[0].held);
}

TEST_F(job_arrays_test, an_array_that_is_to_be_held_stays_so) {
  auto r = array("1-2");
  r.hold = true;
  const auto tasks = submit_array(r)->value.value();
  EXPECT_TRUE(tasks[0].held && get(tasks[1].id)->value->held);
  look({});
  EXPECT_TRUE(released.empty());
}

TEST_F(job_arrays_test, a_release_that_slurm_does_not_hear_comes_again_with_the_next_look) {
  on_hold = [](const auto&, bool) { throw failure(errc::unavailable, "down"); };
  const auto tasks = accepted("1-2"); // it is acknowledged all the same
  on_hold = [](const auto&, bool) {};
  look({report(tasks[0], "PENDING"), report(tasks[1], "PENDING")});
  EXPECT_EQ(released.size(), 2U);
  look({report(tasks[0], "PENDING"), report(tasks[1], "PENDING")});
  EXPECT_EQ(released.size(), 2U);
}

TEST_F(job_arrays_test, a_crash_before_the_release_does_not_leave_the_tasks_held) {
  on_hold = [](const auto&, bool) { throw failure(errc::unavailable, "down"); };
  const auto tasks = accepted("1-2");
  on_hold = [](const auto&, bool) {};
  go();
  look({report(tasks[0], "PENDING"), report(tasks[1], "PENDING")});
  EXPECT_EQ(released.size(), 2U);
}

TEST_F(job_arrays_test, a_task_that_slurm_refuses_takes_the_others_with_it) {
  on_submit = [n = std::int64_t{0}](const slurm::submission&) mutable -> std::int64_t {
    if (++n == 3)
      throw failure(errc::invalid, "Slurm refuses the third");
    return 100 + n;
  };
  const auto r = submit_array(array("1-4"));
  ASSERT_TRUE(r->error);
  EXPECT_STREQ(r->error->what(), "Slurm refuses the third");
  EXPECT_EQ(open_rows(), 0U);
  EXPECT_TRUE(released.empty());
  EXPECT_EQ(submitted.size(), 3U);
  EXPECT_EQ(get(101)->error->code(), errc::not_found);
  for (std::size_t i = 0; i < 2; ++i) // those that Slurm has never run, and are cancelled
    EXPECT_FALSE(slurm::take_start(submitted[i].job_dir, 101)) << i;
  std::vector<slurm::report> waiting;
  for (std::size_t i = 0; i < 2; ++i) {
    job j;
    j.uuid = submitted[i].uuid;
    j.slurm_id = 101 + static_cast<std::int64_t>(i);
    waiting.push_back(report(j, "PENDING"));
  }
  look(waiting);
  EXPECT_EQ(cancelled.size(), 2U);
}

TEST_F(job_arrays_test, a_database_that_is_full_takes_no_part_of_it) {
  database_fails();
  const auto r = submit_array(array("1-3"));
  ASSERT_TRUE(r->error);
  EXPECT_TRUE(released.empty());
  EXPECT_FALSE(published.jobs.find(101));
  EXPECT_EQ(open_rows(), 0U);
  EXPECT_FALSE(slurm::take_start(submitted[0].job_dir, 101));
  database_works();
}

TEST_F(job_arrays_test, an_array_that_a_crash_cut_off_is_withdrawn) {
  on_submit = nullptr; // Slurm has the first, and has not said so
  const auto r = submit_array(array("1-4"));
  EXPECT_FALSE(r->over());
  EXPECT_EQ(open_rows(), 4U);
  ASSERT_EQ(submitted.size(), 1U);
  go();
  job first;
  first.uuid = submitted[0].uuid;
  first.slurm_id = 101;
  look({report(first, "PENDING")});
  EXPECT_EQ(open_rows(), 0U);
  EXPECT_FALSE(slurm::take_start(submitted[0].job_dir, 101)); // it will not run
  look({report(first, "PENDING")});
  EXPECT_EQ(cancelled, std::vector{first.uuid});
  EXPECT_EQ(get(101)->error->code(), errc::not_found);
  r->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
}

TEST_F(job_arrays_test, at_most_so_many_run_at_once_as_each_waits_for_the_one_so_many_before) {
  accepted("0-4%2");
  ASSERT_EQ(submitted.size(), 5U);
  using ids = std::vector<std::int64_t>;
  EXPECT_TRUE(submitted[0].after_any.empty() && submitted[1].after_any.empty());
  EXPECT_EQ(submitted[2].after_any, ids{101});
  EXPECT_EQ(submitted[3].after_any, ids{102});
  EXPECT_EQ(submitted[4].after_any, ids{103});
}

TEST_F(job_arrays_test, a_lost_task_waits_again_for_the_one_before_it) {
  const auto tasks = accepted("0-2%2");
  using namespace std::chrono_literals;
  for (const auto later : {1s, 32s})
    recall(look({report(tasks[0], "PENDING"), report(tasks[1], "PENDING")}, later), true, {});
  ASSERT_EQ(submitted.size(), 4U);
  EXPECT_EQ(submitted[3].uuid, tasks[2].uuid);
  EXPECT_EQ(submitted[3].after_any, std::vector{tasks[0].slurm_id});
  EXPECT_FALSE(submitted[3].hold);
}

TEST_F(job_arrays_test, the_same_key_answers_the_same_tasks) {
  auto r = array("1-3");
  r.idempotency_key = "k";
  r.fingerprint = "f";
  const auto first = submit_array(r)->value.value();
  look({report(first[0], "FAILED")});
  retry(first[0].array_uuid);
  const auto again = submit_array(r)->value.value();
  ASSERT_EQ(again.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(again[i].id, first[i].id);
  EXPECT_EQ(submitted.size(), 4U);
  r.fingerprint = "g";
  EXPECT_EQ(submit_array(r)->error->code(), errc::unprocessable);
}

TEST_F(job_arrays_test, a_key_is_free_again_when_its_array_was_withdrawn) {
  auto r = array("1-3");
  r.idempotency_key = "k";
  on_submit = [](const slurm::submission&) -> std::int64_t {
    throw failure(errc::unavailable, "down");
  };
  EXPECT_TRUE(submit_array(r)->error);
  on_submit = [id = std::int64_t{500}](const slurm::submission&) mutable { return ++id; };
  EXPECT_EQ(submit_array(r)->value->size(), 3U);
}

TEST_F(job_arrays_test, what_is_no_array_is_refused_before_slurm_hears_of_it) {
  const auto refused = [&](const job_request& r, const std::string& part) {
    const auto done = submit_array(r);
    ASSERT_TRUE(done->error) << part;
    EXPECT_TRUE(says(done->error->what(), part)) << done->error->what();
  };
  refused(array("0-20"), "at most 20 tasks");
  refused(array("x"), "array is");
  auto r = array("0-19");
  r.extras.env_json = R"({"A":")" + std::string(60'000, 'x') + "\"}";
  r.params_json = "{\"x\":\"" + std::string(60'000, 'x') + "\"}";
  accepted("1"); // one task is an array
  r.extras.env_json = R"({"PATH":"x"})";
  refused(r, "env");
  EXPECT_EQ(submitted.size(), 1U);
  EXPECT_EQ(open_rows(), 1U);
}

TEST_F(job_arrays_test, cancelling_it_cancels_what_has_not_ended) {
  const auto tasks = accepted("1-3");
  look({report(tasks[0], "COMPLETED"), report(tasks[1], "RUNNING"), report(tasks[2], "PENDING")});
  const auto r = cancel_array(tasks[0].array_uuid);
  EXPECT_EQ(r->value, 2);
  EXPECT_EQ(cancelled.size(), 2U);
  EXPECT_FALSE(get(tasks[0].id)->value->cancel_requested);
  EXPECT_TRUE(get(tasks[2].id)->value->cancel_requested);
  EXPECT_EQ(cancel_array("none")->error->code(), errc::not_found);
  look({report(tasks[1], "CANCELLED"), report(tasks[2], "CANCELLED")});
  EXPECT_EQ(cancel_array(tasks[0].array_uuid)->value, 0);
}

TEST_F(job_arrays_test, a_retry_runs_again_what_ended_badly_and_that_once) {
  const auto tasks = accepted("1-3");
  const auto array_id = tasks[0].array_uuid;
  EXPECT_EQ(retry(array_id)->error->code(), errc::conflict);
  look({report(tasks[0], "COMPLETED"), report(tasks[1], "FAILED"), report(tasks[2], "RUNNING")});
  const auto again = retry(array_id)->value.value();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].array_index, tasks[1].array_index);
  EXPECT_EQ(again[0].array_uuid, array_id);
  EXPECT_EQ(again[0].requeued_from, tasks[1].id);
  EXPECT_NE(again[0].uuid, tasks[1].uuid);
  const auto env = slurm::read_spec(submitted.back().job_dir).env; // as the first time
  EXPECT_NE(std::ranges::find(env, "SLURM_ARRAY_TASK_COUNT=3"), env.end());
  EXPECT_EQ(retry(array_id)->error->code(), errc::conflict); // it is under way
  EXPECT_EQ(retry("none")->error->code(), errc::not_found);
}

TEST_F(job_arrays_test, two_retries_at_once_run_no_task_twice) {
  const auto tasks = accepted("1-2");
  look({report(tasks[0], "FAILED"), report(tasks[1], "FAILED")});
  on_submit = nullptr; // Slurm is slow
  const auto first = retry(tasks[0].array_uuid), second = retry(tasks[0].array_uuid);
  EXPECT_FALSE(first->over());
  ASSERT_TRUE(second->error);
  EXPECT_EQ(second->error->code(), errc::conflict);
  first->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
}

} // namespace

} // namespace jobrunner
