#include "actors/webhook_desk.hpp"
#include "expect_failure.hpp"
#include "store/deletions.hpp"
#include "store/jobs.hpp"
#include "world.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

struct webhook_desk_test : testing::Test, world {
  const timestamp start{1000000h};
  std::vector<webhook::delivery> sent;
  sqlite::database db{store::open(root.path())};
  store::jobs jobs{db};
  store::events events{db};
  store::webhooks rows{db};
  std::optional<webhook_desk> desk;

  webhook_desk_test() { go(); }
  void go() {
    desk.emplace(settings, [this](const webhook::delivery& d) { sent.push_back(d); });
  }
  job a_job(std::int64_t id, const std::string& url = "https://example.org/hook") {
    job j;
    j.uuid = "u" + std::to_string(id);
    j.extras.webhook_url = url;
    jobs.insert_intent(j);
    j.id = j.slurm_id = id;
    jobs.update(j);
    return j;
  }
  /// As the registry writes it.
  void an_event(std::int64_t id, std::int64_t seq) {
    sqlite::transaction t{db};
    job_event e{0, id, seq, "state", "RUNNING", false, "", start};
    events.insert(e);
    rows.note(id, start);
    t.commit();
  }
  /// Who is sent to at that time, and what was: "7:1" is the event 1 of job 7.
  std::string round(timestamp at) {
    sent.clear();
    desk->send_due(at);
    std::string text;
    for (const auto& d : sent)
      text += (text.empty() ? "" : " ") + std::to_string(d.job_id) + ":" + std::to_string(d.seq);
    return text;
  }
  void taken(timestamp at) { desk->answered(webhook::delivery{sent.at(0)}, {200, {}, ""}, at); }
  void refused(timestamp at, int status = 500, std::chrono::seconds pause = 0s) {
    desk->answered(webhook::delivery{sent.at(0)},
                   {status, pause, "it says " + std::to_string(status)}, at);
  }
  void database_fails() {
    db.run("CREATE TRIGGER full BEFORE UPDATE ON webhooks BEGIN SELECT RAISE(ABORT, 'full'); END");
  }
};

TEST_F(webhook_desk_test, events_are_sent_in_their_order_one_after_the_other) {
  a_job(7);
  an_event(7, 1), an_event(7, 2);
  EXPECT_EQ(desk->view(7).state, "pending");
  desk->hint(7);
  desk->hint(7);
  EXPECT_EQ(round(start), "7:1");
  EXPECT_EQ(sent[0].what.id, "u7-1");
  EXPECT_EQ(sent[0].url, "https://example.org/hook");
  an_event(7, 3);
  desk->hint(7);
  taken(start);
  EXPECT_EQ(round(start), "7:2");
  taken(start);
  EXPECT_EQ(round(start), "7:3");
  taken(start);
  EXPECT_EQ(round(start), "");
  EXPECT_EQ(desk->view(7).state, "delivered");
  EXPECT_EQ(desk->view(7).delivered_seq, 3);
  an_event(7, 4);
  desk->hint(7);
  EXPECT_EQ(round(start), "7:4");
}

TEST_F(webhook_desk_test,
       what_is_not_taken_comes_again_with_the_same_id_and_holds_back_what_follows) {
  a_job(7);
  an_event(7, 1), an_event(7, 2);
  desk->hint(7);
  round(start);
  refused(start);
  auto v = desk->view(7);
  EXPECT_EQ(v.state, "pending");
  EXPECT_EQ(v.tries, 1);
  EXPECT_EQ(v.error, "it says 500");
  ASSERT_TRUE(v.next_try);
  EXPECT_TRUE(*v.next_try >= start + 500ms && *v.next_try <= start + 1s);
  EXPECT_EQ(desk->next(), v.next_try);
  EXPECT_EQ(round(start + 499ms), "");
  EXPECT_EQ(round(start + 1s), "7:1");
  EXPECT_EQ(sent[0].what.id, "u7-1");
  taken(start + 1s);
  v = desk->view(7);
  EXPECT_EQ(v.tries, 0);
  EXPECT_EQ(v.error, "");
  EXPECT_FALSE(v.next_try);
  EXPECT_EQ(round(start + 1s), "7:2");
}

TEST_F(webhook_desk_test, a_new_one_goes_on_where_the_old_one_ended) {
  a_job(7), a_job(8), a_job(9);
  an_event(7, 1), an_event(7, 2), an_event(8, 1);
  desk->hint(7);
  round(start);
  taken(start);
  an_event(9, 1); // a crash came before the hint, and before the answer of 7:2
  go();
  EXPECT_EQ(round(start), "7:2"); // one for a receiver that nobody has heard of
  taken(start);
  EXPECT_EQ(round(start), "8:1 9:1");
}

TEST_F(webhook_desk_test, a_410_stops_it_for_good) {
  a_job(7);
  an_event(7, 1), an_event(7, 2);
  desk->hint(7);
  round(start);
  refused(start, 410);
  EXPECT_EQ(desk->view(7).state, "stopped");
  an_event(7, 3);
  desk->hint(7);
  EXPECT_EQ(round(start + 1000h), "");
  go();
  EXPECT_EQ(round(start + 1000h), "");
}

TEST_F(webhook_desk_test, it_gives_up_when_the_time_is_up) {
  settings.webhooks.give_up = 60s;
  a_job(7);
  an_event(7, 1), an_event(7, 2);
  desk->hint(7);
  auto at = start;
  int tries = 0;
  while (round(at) == "7:1") {
    ++tries;
    refused(at, 0);
    at = desk->next().value_or(at);
  }
  EXPECT_EQ(at, start + 60s);
  EXPECT_GE(tries, 6);
  const auto v = desk->view(7);
  EXPECT_EQ(v.state, "failed");
  EXPECT_EQ(v.tries, tries);
  EXPECT_EQ(v.error, "it says 0");
  an_event(7, 3);
  desk->hint(7);
  EXPECT_EQ(round(at + 1000h), "");
}

TEST_F(webhook_desk_test, a_pause_that_is_asked_for_is_kept_for_all_of_the_receiver_s_jobs) {
  a_job(7), a_job(8), a_job(9, "https://other.example.org/");
  an_event(7, 1), an_event(8, 1);
  desk->hint(7);
  desk->hint(8);
  EXPECT_EQ(round(start), "7:1");
  refused(start, 429, 30s);
  an_event(9, 1);
  desk->hint(9);
  EXPECT_EQ(round(start + 29s), "9:1");
  EXPECT_EQ(round(start + 30s), "8:1 7:1");
}

TEST_F(webhook_desk_test, a_deleted_job_s_events_are_not_sent) {
  const auto j = a_job(7);
  an_event(7, 1), an_event(7, 2);
  desk->hint(7);
  round(start);
  store::deletions{db}.remove(j);
  taken(start);
  EXPECT_EQ(round(start + 1h), "");
  EXPECT_FALSE(desk->next());
}

TEST_F(webhook_desk_test, what_the_database_did_not_take_is_sent_again) {
  a_job(7);
  an_event(7, 1);
  desk->hint(7);
  round(start);
  database_fails();
  taken(start);
  EXPECT_EQ(round(start + 1s), "");
  db.run("DROP TRIGGER full");
  EXPECT_EQ(round(start + 5s), "7:1");
  taken(start + 5s);
  EXPECT_EQ(desk->view(7).state, "delivered");
}

TEST_F(webhook_desk_test, a_url_that_is_no_longer_allowed_is_tried_like_one_that_fails) {
  a_job(7, "http://127.0.0.1:1/"), a_job(8);
  an_event(7, 1), an_event(8, 1);
  go();
  EXPECT_EQ(round(start), "7:1 8:1");
}

} // namespace

} // namespace jobrunner
