#include "store/deletions.hpp"
#include "store/events.hpp"
#include "store/jobs.hpp"
#include "store/schema.hpp"
#include "store/webhooks.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner::store {

namespace {

using namespace std::chrono_literals;

struct webhook_rows : testing::Test {
  temp_folder root;
  sqlite::database db{(migrate(root.path()), open(root.path()))};
  jobs all{db};
  events happened{db};
  webhooks rows{db};
  const timestamp at{1700000000123ms};

  job a_job(std::int64_t id) {
    job j;
    j.uuid = "u" + std::to_string(id);
    j.extras.webhook_url = "https://h/" + j.uuid;
    all.insert_intent(j);
    j.id = j.slurm_id = id;
    all.update(j);
    return j;
  }
  void an_event(std::int64_t id, std::int64_t seq) {
    job_event e{0, id, seq, "state", "RUNNING", false, "", at};
    happened.insert(e);
    rows.note(id, at);
  }
};

TEST_F(webhook_rows, an_event_makes_its_job_due_once) {
  a_job(7), a_job(8);
  EXPECT_FALSE(rows.find(7));
  an_event(7, 1);
  const auto due = rows.due();
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].job_id, 7);
  EXPECT_EQ(due[0].url, "https://h/u7");
  EXPECT_EQ(due[0].uuid, "u7");
  EXPECT_EQ(due[0].delivered, 0);
  EXPECT_EQ(due[0].due, at);
  auto later = due[0];
  later.tries = 3;
  later.first_try = at;
  later.due = at + 1h;
  later.error = "why";
  rows.update(later);
  an_event(7, 2); // does not bring the next try forward
  const auto now = rows.find(7);
  EXPECT_EQ(now->due, at + 1h);
  EXPECT_EQ(now->tries, 3);
  EXPECT_EQ(now->first_try, at);
  EXPECT_EQ(now->error, "why");
}

TEST_F(webhook_rows, what_was_delivered_is_followed_by_what_came_meanwhile) {
  a_job(7);
  an_event(7, 1);
  an_event(7, 3);
  EXPECT_EQ(rows.delivered(7, 1, at + 1s), at + 1s);
  EXPECT_EQ(rows.find(7)->delivered, 1);
  EXPECT_FALSE(rows.delivered(7, 3, at + 2s));
  EXPECT_TRUE(rows.due().empty());
  an_event(7, 4);
  EXPECT_EQ(rows.find(7)->due, at);
  EXPECT_EQ(rows.find(7)->delivered, 3);
}

TEST_F(webhook_rows, one_that_was_stopped_or_given_up_stays_so) {
  for (const auto state : {webhook_state::stopped, webhook_state::failed}) {
    const auto id = 10 + static_cast<std::int64_t>(state);
    a_job(id);
    an_event(id, 1);
    auto w = rows.find(id).value();
    w.due.reset();
    w.state = state;
    rows.update(w);
    an_event(id, 2);
    EXPECT_EQ(rows.find(id)->state, state);
    EXPECT_FALSE(rows.find(id)->due);
  }
  EXPECT_TRUE(rows.due().empty());
}

TEST_F(webhook_rows, a_deleted_job_has_nothing_to_deliver) {
  auto j = a_job(7);
  an_event(7, 1);
  deletions{db}.remove(j);
  EXPECT_TRUE(rows.due().empty());
  EXPECT_FALSE(rows.find(7));
  EXPECT_FALSE(rows.delivered(7, 1, at));
}

} // namespace

} // namespace jobrunner::store
