#include "actors/job_lists.hpp"
#include "expect_failure.hpp"
#include "stage.hpp"
#include "store/jobs.hpp"
#include "world.hpp"

namespace jobrunner {

namespace {

struct job_lists_test : world, stage {
  job_list_actor lists = sys.spawn(job_lists, std::cref(with));
  ~job_lists_test() override { stop(lists); }

  void add(std::int64_t id) {
    job j;
    j.uuid = "u" + std::to_string(id);
    j.id = j.slurm_id = id;
    j.params_json = "{}";
    j.state = "RUNNING";
    j.array_uuid = "a";
    j.array_index = id;
    j.created_at = timestamp{std::chrono::milliseconds{1000 + id}};
    auto db = store::open(root.path());
    store::jobs rows{db};
    rows.insert_intent(j);
    rows.update(j);
  }
  auto list(std::string cursor, std::int64_t limit) {
    job_query q;
    q.cursor = std::move(cursor);
    q.limit = limit;
    return start(ask(lists, std::chrono::seconds{60}, atom::list_v, q));
  }
  auto array(std::string id, std::int64_t cursor, std::int64_t limit) {
    return start(ask(lists, std::chrono::seconds{60}, atom::find_v,
                     array_query{std::move(id), cursor, limit}));
  }
};

TEST_F(job_lists_test, the_cursor_of_a_page_begins_the_next) {
  for (std::int64_t id = 1; id <= 3; ++id)
    add(id);
  const auto first = list("", 2)->value.value();
  ASSERT_EQ(first.items.size(), 2U);
  EXPECT_EQ(first.items[0].id, 3);
  const auto second = list(first.next_cursor, 2)->value.value();
  ASSERT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.items[0].id, 1);
  EXPECT_EQ(second.next_cursor, "");
}

TEST_F(job_lists_test, a_cursor_of_another_making_is_refused) {
  for (const char* bad :
       {"x", "1", "1-", "-1", "1-0", "-1-1", "1-2-3", "1-2 ", "1- 2", "99999999999999999999-1"}) {
    const auto r = list(bad, 1);
    ASSERT_TRUE(r->error) << bad;
    EXPECT_EQ(r->error->code(), errc::invalid);
    EXPECT_TRUE(says(r->error->what(), "cursor is"));
  }
}

TEST_F(job_lists_test, an_array_is_paged_by_index_and_says_when_it_ends) {
  for (std::int64_t id = 0; id < 3; ++id)
    add(id + 1);
  const auto first = array("a", -1, 2)->value.value();
  EXPECT_EQ(first.tasks.size(), 2U);
  EXPECT_EQ(first.next_cursor, 2);
  EXPECT_FALSE(first.done);
  const auto second = array("a", 2, 1)->value.value();
  EXPECT_EQ(second.tasks.size(), 1U);
  EXPECT_FALSE(second.next_cursor);
  EXPECT_EQ(array("b", -1, 2)->error->code(), errc::not_found);
}

} // namespace

} // namespace jobrunner
