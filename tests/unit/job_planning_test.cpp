#include "expect_failure.hpp"
#include "registry_stage.hpp"

#include <algorithm>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

struct job_planning_test : registry_stage {
  job_planning_test() { go(); }
  static bool has(const std::vector<std::string>& all, const std::string& one) {
    return std::ranges::find(all, one) != all.end();
  }
};

TEST_F(job_planning_test, it_shows_what_would_be_run_and_leaves_nothing) {
  on_plan = [](const slurm::submission&) {
    return slurm::forecast{timestamp{std::chrono::seconds{1795652809}}};
  };
  auto r = request();
  r.extras.env_json = R"({"MINE": "secret value"})";
  r.extras.signal = "USR1@60";
  r.hold = true;
  const auto p = plan(r)->value.value();
  EXPECT_EQ(p.argv, std::vector<std::string>{"/bin/true"});
  EXPECT_TRUE(has(p.script, "--signal=B:USR1@60"));
  EXPECT_TRUE(has(p.script, "--hold"));
  EXPECT_TRUE(has(p.environment, "MINE"));
  EXPECT_TRUE(has(p.environment, "RESULT_DIR"));
  EXPECT_TRUE(p.missing.empty());
  EXPECT_EQ(p.start, timestamp{std::chrono::seconds{1795652809}});
  EXPECT_TRUE(submitted.empty());
  EXPECT_TRUE(rows().empty());
  EXPECT_TRUE(fs::is_empty(root / "jobs"));
  EXPECT_TRUE(fs::is_empty(root / "results"));
}

TEST_F(job_planning_test, it_says_all_that_is_missing) {
  auto r = request();
  r.dataset_sha = "b";
  EXPECT_TRUE(says(plan(r)->value->missing.at(0), "dataset_sha"));
  on_plan = [](const slurm::submission&) -> slurm::forecast {
    throw failure(errc::invalid, "Slurm would refuse the job");
  };
  const auto failed = submit()->value.value();
  look({report(failed, "FAILED")});
  r = request();
  r.extras.after = {failed.id};
  const auto p = plan(r)->value.value();
  ASSERT_EQ(p.missing.size(), 2U);
  EXPECT_TRUE(says(p.missing[0], "has ended as FAILED"));
  EXPECT_EQ(p.missing[1], "Slurm would refuse the job");
  published.slurm.publish({});
  EXPECT_FALSE(plan(request())->value->missing.empty());
}

TEST_F(job_planning_test, what_a_client_sent_wrong_is_refused_as_it_would_be) {
  const auto refused = [&](auto change, const std::string& field) {
    auto r = request();
    change(r);
    const auto p = plan(r);
    ASSERT_TRUE(p->error) << field;
    EXPECT_EQ(p->error->code(), errc::invalid);
    EXPECT_TRUE(says(p->error->what(), field)) << p->error->what();
  };
  refused([](auto& r) { r.cpus = 99; }, "cpus");
  refused([](auto& r) { r.array = "0-"; }, "array");
  refused([](auto& r) { r.extras.after = {77}; }, "after");
  refused([](auto& r) { r.extras.webhook_url = "ftp://h/"; }, "webhook_url");
  refused([](auto& r) { r.extras.signal = "TERM@1"; }, "signal");
}

TEST_F(job_planning_test, an_array_is_shown_by_its_first_task) {
  auto r = request();
  r.array = "4-9%2";
  const auto p = plan(r)->value.value();
  EXPECT_EQ(p.tasks, 6);
  EXPECT_TRUE(has(p.environment, "SLURM_ARRAY_TASK_ID"));
}

} // namespace

} // namespace jobrunner
