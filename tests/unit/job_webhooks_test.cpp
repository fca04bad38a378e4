// What job_registry does for webhooks: it makes them due with the event itself, and says so.
#include "expect_failure.hpp"
#include "registry_stage.hpp"
#include "store/webhooks.hpp"

namespace jobrunner {

namespace {

struct job_webhooks_test : registry_stage {
  job_webhooks_test() { go(); }
  job_request called(const std::string& url = "https://example.org/hook") const {
    auto r = request();
    r.extras.webhook_url = url;
    return r;
  }
  std::vector<store::webhook> due() {
    auto db = store::open(root.path());
    return store::webhooks{db}.due();
  }
};

TEST_F(job_webhooks_test, each_event_of_a_job_with_a_url_is_due_and_told) {
  const auto j = submit(called())->value.value();
  EXPECT_EQ(hinted, (std::vector<std::int64_t>{j.id}));
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due()[0].job_id, j.id);
  EXPECT_EQ(due()[0].url, "https://example.org/hook");
  look({report(j, "RUNNING")});
  look({report(j, "COMPLETED")});
  EXPECT_EQ(hinted, (std::vector<std::int64_t>{j.id, j.id, j.id, j.id})); // and indexed
  EXPECT_EQ(due().size(), 1U);
}

TEST_F(job_webhooks_test, a_job_without_one_costs_nothing) {
  look({report(submit()->value.value(), "RUNNING")});
  EXPECT_TRUE(hinted.empty());
  EXPECT_TRUE(due().empty());
}

TEST_F(job_webhooks_test, tasks_have_one_each_and_what_runs_again_keeps_it) {
  auto r = called();
  r.array = "0-1";
  const auto tasks = submit_array(r)->value.value();
  EXPECT_EQ(due().size(), 2U);
  look({report(tasks[0], "FAILED"), report(tasks[1], "COMPLETED")});
  const auto again = retry(tasks[0].array_uuid)->value.value();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].extras.webhook_url, r.extras.webhook_url);
  EXPECT_EQ(request_again(again[0]).extras.webhook_url, r.extras.webhook_url);
  EXPECT_EQ(due().size(), 3U);
}

TEST_F(job_webhooks_test, where_the_event_is_not_written_there_is_nothing_due) {
  const auto j = submit(called())->value.value();
  hinted.clear();
  database_fails();
  EXPECT_ANY_THROW(look({report(j, "RUNNING")}));
  EXPECT_TRUE(hinted.empty());
  database_works();
  look({report(j, "RUNNING")});
  EXPECT_EQ(hinted.size(), 1U);
}

TEST_F(job_webhooks_test, a_url_that_nothing_may_be_sent_to_is_refused_before_anything_is_made) {
  for (const auto* url :
       {"https://127.0.0.1/", "http://example.org/", "https://u:p4ss@example.org/"}) {
    const auto r = submit(called(url));
    ASSERT_TRUE(r->error) << url;
    EXPECT_EQ(r->error->code(), errc::invalid);
    EXPECT_TRUE(says(r->error->what(), "webhook_url")) << r->error->what();
    EXPECT_FALSE(says(r->error->what(), "p4ss")) << r->error->what();
  }
  EXPECT_TRUE(rows().empty());
  EXPECT_TRUE(due().empty());
}

} // namespace

} // namespace jobrunner
