// Submitting, cancelling, waiting, and what is left of it after a restart.
#include "expect_failure.hpp"
#include "registry_stage.hpp"

namespace jobrunner {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct job_registry_test : registry_stage {
  job_registry_test() { go(); }
  job accepted() { return submit()->value.value(); }
};

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator{folder}, fs::directory_iterator{}));
}

TEST_F(job_registry_test, a_submitted_job_has_slurm_s_number_and_a_row) {
  const auto r = submit();
  ASSERT_TRUE(r->value);
  EXPECT_EQ(r->value->id, 101);
  EXPECT_EQ(r->value->state, "PENDING");
  EXPECT_EQ(published.jobs.find(101)->uuid, r->value->uuid);
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].id, 101);
  EXPECT_EQ(rows()[0].slurm_id, 101);
  ASSERT_EQ(submitted.size(), 1U);
  EXPECT_EQ(submitted[0].uuid, r->value->uuid);
  EXPECT_TRUE(fs::exists(submitted[0].job_dir / "spec.json"));
  EXPECT_TRUE(fs::is_directory(r->value->result_dir));
}

TEST_F(job_registry_test, the_intent_is_durable_before_slurm_hears_of_it) {
  std::vector<job> then;
  on_submit = [&](const slurm::submission&) {
    then = rows();
    return 7;
  };
  submit();
  ASSERT_EQ(then.size(), 1U);
  EXPECT_EQ(then[0].id, 0);
}

TEST_F(job_registry_test, a_refused_job_leaves_neither_row_nor_folders) {
  on_submit = [](const slurm::submission&) -> std::int64_t {
    throw failure(errc::invalid, "Slurm refuses it");
  };
  const auto r = submit();
  ASSERT_TRUE(r->error);
  EXPECT_EQ(r->error->code(), errc::invalid);
  EXPECT_STREQ(r->error->what(), "Slurm refuses it");
  EXPECT_TRUE(rows().empty());
  EXPECT_EQ(entries(root / "jobs"), 0U);
  EXPECT_EQ(entries(root / "results"), 0U);
}

TEST_F(job_registry_test, requests_that_cannot_run_are_refused_before_slurm_hears_of_them) {
  const auto refused = [&](auto change, errc code, const std::string& part) {
    auto r = request();
    change(r);
    const auto done = submit(r);
    ASSERT_TRUE(done->error) << part;
    EXPECT_EQ(to_string(done->error->code()), to_string(code)) << done->error->what();
    EXPECT_TRUE(says(done->error->what(), part)) << done->error->what();
  };
  refused([](auto& r) { r.dataset_sha = "b"; }, errc::not_found, "dataset_sha");
  refused([](auto& r) { r.command_key = "../echo"; }, errc::invalid, "must be one of: echo");
  refused([](auto& r) { r.params_json = "{"; }, errc::invalid, "not JSON");
  refused([](auto& r) { r.params_json = "[]"; }, errc::invalid, "object");
  refused([](auto& r) { r.gpus = 3; }, errc::invalid, "gpus is 3");
  refused([](auto& r) { r.cpus = 9; }, errc::invalid, "cpus is 9");
  refused([](auto& r) { r.cpus = 0; }, errc::invalid, "cpus is 0");
  refused([](auto& r) { r.mem_gb = 33; }, errc::invalid, "mem_gb is 33");
  refused([](auto& r) { r.time_limit_s = 86401; }, errc::invalid, "time_limit");
  published.slurm.publish({});
  refused([](auto&) {}, errc::unavailable, "Slurm does not answer");
  EXPECT_TRUE(submitted.empty());
  EXPECT_TRUE(rows().empty());
  EXPECT_EQ(entries(root / "jobs"), 0U);
}

TEST_F(job_registry_test, defaults_are_cut_to_what_the_node_has) {
  slurm_view small;
  small.up = true;
  small.capacity = {2, 900, 0, 600};
  published.slurm.publish(small);
  const auto j = accepted();
  EXPECT_EQ(j.wanted.gpus, 0);
  EXPECT_EQ(j.wanted.cpus, 2);
  EXPECT_EQ(j.wanted.mem_mb, 900);
  EXPECT_EQ(j.wanted.time_limit_s, 600);
}

TEST_F(job_registry_test, a_number_that_slurm_gives_twice_becomes_another_one_here) {
  on_submit = [](const slurm::submission&) { return 7; };
  const auto first = accepted(), second = accepted(), third = accepted();
  EXPECT_EQ(first.id, 7);
  EXPECT_EQ(second.id, 8);
  EXPECT_EQ(second.slurm_id, 7);
  EXPECT_EQ(third.id, 9);
  look({report(third, "RUNNING")}); // the name tells whose number it is now
  EXPECT_EQ(get(7)->value->state, "PENDING");
  EXPECT_EQ(get(9)->value->state, "RUNNING");
}

TEST_F(job_registry_test, a_job_that_slurm_took_is_acknowledged_though_the_disk_is_full) {
  database_fails();
  const auto j = submit();
  ASSERT_TRUE(j->value);
  EXPECT_EQ(j->value->id, 101);
  EXPECT_EQ(published.jobs.find(101)->state, "PENDING");
  EXPECT_EQ(rows().at(0).id, 0); // but for its intent
  const auto second = submit();  // and gets no number twice meanwhile
  EXPECT_EQ(second->value->id, 102);
  database_works();
  look({report(*j->value, "PENDING"), report(*second->value, "PENDING")});
  EXPECT_EQ(rows().at(0).id, 101);
  EXPECT_EQ(rows().at(1).id, 102);
}

TEST_F(job_registry_test, an_unknown_job_is_not_found) {
  EXPECT_EQ(get(99)->error->code(), errc::not_found);
  EXPECT_EQ(wait(99, 0)->error->code(), errc::not_found);
  EXPECT_EQ(cancel(99)->error->code(), errc::not_found);
}

TEST_F(job_registry_test, a_wait_is_answered_by_the_next_change_which_is_published_by_then) {
  const auto j = accepted(), other = accepted();
  const auto waiting = wait(j.id, j.seq), long_ago = wait(j.id, j.seq - 1);
  ASSERT_TRUE(long_ago->value);
  EXPECT_EQ(*long_ago->value, j.seq);
  look({report(j, "PENDING"), report(other, "RUNNING")});
  EXPECT_FALSE(waiting->over());
  look({report(j, "RUNNING"), report(other, "RUNNING")});
  ASSERT_TRUE(waiting->value);
  EXPECT_GT(*waiting->value, j.seq);
  EXPECT_EQ(published.jobs.find(j.id)->seq, *waiting->value);
}

TEST_F(job_registry_test, a_wait_for_all_jobs_is_answered_by_an_event_of_any) {
  const auto before = *wait(0, -1)->value;
  const auto waiting = wait(0, before);
  EXPECT_FALSE(waiting->over());
  const auto j = accepted();
  ASSERT_TRUE(waiting->value);
  const auto found = events_after(before);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].job_id, j.id);
  EXPECT_EQ(found[0].n, *waiting->value);
}

TEST_F(job_registry_test, a_wait_is_answered_with_what_is_known_when_the_patience_is_over) {
  const auto j = accepted();
  const auto waiting = wait(j.id, j.seq), shorter = wait(j.id, j.seq, 5s);
  pass(4s);
  EXPECT_FALSE(shorter->over());
  pass(1s);
  EXPECT_EQ(shorter->value, j.seq);
  pass(24s);
  EXPECT_FALSE(waiting->over());
  pass(1s);
  EXPECT_EQ(waiting->value, j.seq);
  EXPECT_EQ(inside().waiting(), 0U);
}

TEST_F(job_registry_test, a_client_that_hangs_up_is_forgotten) {
  const auto j = accepted();
  const auto waiting = wait(j.id, j.seq);
  EXPECT_EQ(inside().waiting(), 1U);
  waiting->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
  EXPECT_EQ(inside().waiting(), 0U);
  pass(30s); // its patience
  look({report(j, "COMPLETED")});
}

TEST_F(job_registry_test, a_cancel_is_noted_before_slurm_hears_of_it) {
  const auto j = accepted();
  bool noted = false;
  on_cancel = [&](std::int64_t id, const std::string& uuid) {
    noted = id == j.slurm_id && uuid == j.uuid && rows().at(0).cancel_requested;
  };
  const auto r = cancel(j.id);
  ASSERT_TRUE(r->value);
  EXPECT_TRUE(noted);
  EXPECT_TRUE(r->value->cancel_requested);
  look({report(j, "CANCELLED")});
  EXPECT_EQ(get(j.id)->value->reason, "cancelled");
}

TEST_F(job_registry_test, a_cancel_works_though_the_disk_is_full) {
  const auto j = accepted();
  database_fails();
  EXPECT_TRUE(cancel(j.id)->value);
  EXPECT_EQ(cancelled.size(), 1U);
  database_works();
}

TEST_F(job_registry_test, a_cancel_that_slurm_does_not_hear_is_unavailable) {
  const auto j = accepted();
  on_cancel = [](std::int64_t, const std::string&) { throw failure(errc::unavailable, "down"); };
  EXPECT_EQ(cancel(j.id)->error->code(), errc::unavailable);
  EXPECT_EQ(get(j.id)->value->state, "PENDING");
}

TEST_F(job_registry_test, cancelling_what_is_over_asks_slurm_nothing) {
  const auto j = accepted();
  look({report(j, "COMPLETED")});
  EXPECT_EQ(cancel(j.id)->value->state, "COMPLETED");
  EXPECT_TRUE(cancelled.empty());
}

TEST_F(job_registry_test, no_more_than_256_submissions_are_under_way) {
  on_submit = nullptr; // Slurm hangs
  std::vector<std::shared_ptr<outcome<job>>> all;
  for (int i = 0; i < 256; ++i)
    all.push_back(submit());
  EXPECT_FALSE(all.back()->over());
  const auto one_more = submit();
  ASSERT_TRUE(one_more->error);
  EXPECT_EQ(one_more->error->code(), errc::unavailable);
  for (const auto& r : all)
    r->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
}

TEST_F(job_registry_test, an_exit_ends_it_although_a_submit_and_a_wait_are_under_way) {
  const auto j = accepted();
  on_submit = nullptr;
  const auto parked = wait(j.id, j.seq);
  const auto submitting = submit();
  caf::actor_addr address = registry.address();
  stop(registry);
  registry = nullptr;
  sched.clock().cancel_all(); // as root does
  EXPECT_EQ(caf::actor_cast<caf::strong_actor_ptr>(address), nullptr) << "something holds it";
  parked->hang_up.emit(boost::asio::cancellation_type::terminal);
  submitting->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
}

TEST_F(job_registry_test, a_restart_finds_open_and_finished_jobs_again) {
  const auto over = accepted(), open = accepted();
  look({report(over, "COMPLETED"), report(open, "RUNNING")});
  published.jobs.publish({}); // of another process
  go();
  EXPECT_EQ(get(over.id)->value->state, "COMPLETED");
  EXPECT_EQ(get(open.id)->value->state, "RUNNING");
  const auto waiting = wait(open.id, get(open.id)->value->seq);
  EXPECT_FALSE(waiting->over());
  look({report(open, "COMPLETED")});
  EXPECT_TRUE(waiting->value);
  EXPECT_EQ(get(open.id)->value->state, "COMPLETED");
}

} // namespace

} // namespace jobrunner
