// POST /jobs with an Idempotency-Key, as the registry keeps it.
#include "registry_stage.hpp"

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

struct idempotency : registry_stage {
  idempotency() { go(); }
  job_request keyed(const std::string& key = "k", const std::string& fingerprint = "f") {
    auto r = request();
    r.idempotency_key = key;
    r.fingerprint = fingerprint;
    return r;
  }
};

TEST_F(idempotency, a_repeated_request_gets_the_first_one_s_job) {
  const auto first = submit(keyed())->value.value();
  const auto second = submit(keyed())->value.value();
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(submitted.size(), 1U);
  EXPECT_NE(submit(keyed("other"))->value->id, first.id);
}

TEST_F(idempotency, requests_without_a_key_are_jobs_of_their_own) {
  EXPECT_NE(submit()->value->id, submit()->value->id);
}

TEST_F(idempotency, another_request_under_the_key_is_refused) {
  submit(keyed());
  EXPECT_EQ(submit(keyed("k", "g"))->error->code(), errc::unprocessable);
  EXPECT_EQ(submitted.size(), 1U);
}

TEST_F(idempotency, while_the_first_is_under_way_the_second_is_a_conflict) {
  on_submit = nullptr;
  const auto first = submit(keyed());
  EXPECT_FALSE(first->over());
  EXPECT_EQ(submit(keyed())->error->code(), errc::conflict);
  EXPECT_EQ(submit(keyed("k", "g"))->error->code(), errc::unprocessable);
}

TEST_F(idempotency, the_first_counts_though_its_client_is_gone) {
  std::int64_t made = 0;
  on_submit = [&](const slurm::submission&) { return made = 55; };
  const auto first = start(ask(registry, 60s, atom::submit_v, keyed()));
  first->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
  EXPECT_EQ(submit(keyed())->value->id, 55);
}

TEST_F(idempotency, the_key_outlives_the_server_and_is_answered_while_slurm_is_away) {
  const auto first = submit(keyed())->value.value();
  go();
  published.slurm.publish({});
  EXPECT_EQ(submit(keyed())->value->id, first.id);
  EXPECT_EQ(submit()->error->code(), errc::unavailable);
}

TEST_F(idempotency, a_job_that_slurm_refused_frees_its_key) {
  on_submit = [](const slurm::submission&) -> std::int64_t {
    throw failure(errc::invalid, "refused");
  };
  EXPECT_EQ(submit(keyed())->error->code(), errc::invalid);
  on_submit = [](const slurm::submission&) { return 56; };
  EXPECT_EQ(submit(keyed("k", "g"))->value->id, 56);
}

TEST_F(idempotency, after_a_crash_the_key_waits_until_the_first_look_has_settled_the_job) {
  on_submit = nullptr;
  submit(keyed());
  const auto uuid = submitted.back().uuid;
  go();
  EXPECT_EQ(submit(keyed())->error->code(), errc::conflict);
  slurm::report shown;
  shown.id = 57;
  shown.name = "jr-" + uuid;
  shown.state = "RUNNING";
  look({shown});
  EXPECT_EQ(submit(keyed())->value->id, 57);
}

TEST_F(idempotency, a_job_that_the_first_look_withdraws_frees_its_key) {
  on_submit = nullptr;
  submit(keyed());
  go();
  look({});
  on_submit = [](const slurm::submission&) { return 58; };
  EXPECT_EQ(submit(keyed())->value->id, 58);
}

} // namespace

} // namespace jobrunner
