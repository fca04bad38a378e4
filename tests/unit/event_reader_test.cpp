#include "actors/event_reader.hpp"
#include "stage.hpp"
#include "store/events.hpp"
#include "store/jobs.hpp"
#include "world.hpp"

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

struct event_reader_test : stage, world {
  sqlite::database db = store::open(root.path());
  store::jobs jobs{db};
  store::events rows{db};
  event_actor reader = sys.spawn(event_reader, std::cref(with));
  ~event_reader_test() override { stop(reader); }

  job a_job(std::int64_t id, std::int64_t seq, bool over = false) {
    job j;
    j.uuid = "u" + std::to_string(id);
    j.id = j.slurm_id = id;
    j.state = over ? "COMPLETED" : "RUNNING";
    j.done = j.indexed = over;
    j.seq = seq;
    j.reason = "why";
    j.created_at = timestamp{1000ms};
    if (over)
      j.ended_at = timestamp{5000ms};
    jobs.insert_intent(j);
    jobs.update(j);
    return j;
  }
  void an_event(std::int64_t job_id, std::int64_t seq) {
    job_event e{0, job_id, seq, "state", "RUNNING", false, "", timestamp{2000ms}};
    rows.insert(e);
  }
  event_page read(std::int64_t job_id, std::int64_t after, std::int64_t limit = 100) {
    return start(ask(reader, 60s, atom::list_v, event_query{job_id, after, limit}))->value.value();
  }
};

TEST_F(event_reader_test, pages_of_all_jobs_follow_one_order) {
  a_job(7, 2), a_job(8, 1);
  an_event(7, 1), an_event(8, 1), an_event(7, 2);
  const auto first = read(0, 0, 2), second = read(0, first.items.back().n, 2);
  ASSERT_EQ(first.items.size(), 2U);
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items[0].seq, 2);
  EXPECT_EQ(first.newest, second.items[0].n);
  EXPECT_TRUE(read(0, first.newest).items.empty());
}

TEST_F(event_reader_test, a_job_s_page_is_over_when_the_job_is_and_nothing_lacks) {
  a_job(7, 2, true);
  an_event(7, 1), an_event(7, 2);
  EXPECT_FALSE(read(7, 0, 1).over);
  EXPECT_TRUE(read(7, 0).over);
  EXPECT_TRUE(read(7, 2).over);
  a_job(8, 1);
  an_event(8, 1);
  EXPECT_FALSE(read(8, 0).over);
}

TEST_F(event_reader_test, a_job_without_events_has_one_of_its_present_state) {
  a_job(7, 4, true);
  const auto page = read(7, 0);
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].seq, 4);
  EXPECT_EQ(page.items[0].type, "state");
  EXPECT_EQ(page.items[0].state, "COMPLETED");
  EXPECT_TRUE(page.items[0].done);
  EXPECT_EQ(page.items[0].reason, "why");
  EXPECT_EQ(page.items[0].at, timestamp{5000ms});
  EXPECT_TRUE(page.over);
  EXPECT_TRUE(read(7, 4).items.empty());
}

TEST_F(event_reader_test, of_no_job_there_is_no_page) {
  const auto missing = start(ask(reader, 60s, atom::list_v, event_query{9, 0, 1}));
  ASSERT_TRUE(missing->error);
  EXPECT_EQ(missing->error->code(), errc::not_found);
}

} // namespace

} // namespace jobrunner
