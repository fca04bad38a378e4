#include "expect_failure.hpp"
#include "store/events.hpp"
#include "store/schema.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner::store {

namespace {

using namespace std::chrono_literals;

struct event_rows : testing::Test {
  temp_folder root;
  sqlite::database db{(migrate(root.path()), open(root.path()))};
  events rows{db};
  job_event add(std::int64_t job_id, std::int64_t seq) {
    job_event e{0, job_id, seq, "state", "RUNNING", false, "why", timestamp{1700000000123ms}};
    rows.insert(e);
    return e;
  }
};

TEST_F(event_rows, an_event_comes_back_as_it_was_written_with_its_place_in_the_order) {
  const auto written = add(7, 2);
  const auto all = rows.after(0, 10);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_GT(written.n, 0);
  EXPECT_EQ(all[0].n, written.n);
  EXPECT_EQ(all[0].job_id, 7);
  EXPECT_EQ(all[0].seq, 2);
  EXPECT_EQ(all[0].type, "state");
  EXPECT_EQ(all[0].state, "RUNNING");
  EXPECT_FALSE(all[0].done);
  EXPECT_EQ(all[0].reason, "why");
  EXPECT_EQ(all[0].at, timestamp{1700000000123ms});
}

TEST_F(event_rows, all_jobs_share_one_order_and_a_reader_goes_on_where_it_was) {
  const auto a = add(7, 1), b = add(8, 1), c = add(7, 2);
  const auto page = rows.after(a.n, 1);
  ASSERT_EQ(page.size(), 1U);
  EXPECT_EQ(page[0].n, b.n);
  EXPECT_EQ(rows.after(b.n, 10)[0].n, c.n);
  EXPECT_TRUE(rows.after(c.n, 10).empty());
  EXPECT_EQ(rows.largest(), c.n);
}

TEST_F(event_rows, one_job_s_events_follow_its_own_numbers) {
  add(7, 1);
  add(8, 1);
  add(7, 3);
  const auto mine = rows.of_job_after(7, 1, 10);
  ASSERT_EQ(mine.size(), 1U);
  EXPECT_EQ(mine[0].seq, 3);
  EXPECT_EQ(rows.of_job_after(7, 0, 1).size(), 1U);
}

TEST_F(event_rows, a_number_of_a_job_is_used_once) {
  add(7, 1);
  refusal([&] { add(7, 1); }, errc::conflict);
}

} // namespace

} // namespace jobrunner::store
