#include "store/job_pages.hpp"
#include "store/jobs.hpp"
#include "store/schema.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner::store {

namespace {

using namespace std::chrono_literals;
using ids = std::vector<std::int64_t>;

struct job_pages_test : testing::Test {
  temp_folder root;
  sqlite::database db{(migrate(root.path()), open(root.path()))};
  jobs rows{db};
  job_pages pages{db};

  /// Created `id` milliseconds after 1970.
  static job one(std::int64_t id) {
    job j;
    j.uuid = "u" + std::to_string(id);
    j.id = j.slurm_id = id;
    j.dataset_sha = "d";
    j.command_key = "c";
    j.params_json = "{}";
    j.state = "RUNNING";
    j.created_at = timestamp{std::chrono::milliseconds{id}};
    return j;
  }
  void add(const job& j) {
    rows.insert_intent(j);
    rows.update(j);
  }
  ids listed(const job_filter& f, std::int64_t limit = 100) {
    ids found;
    std::optional<job_cursor> from;
    do {
      const auto page = pages.list(f, from, limit);
      EXPECT_LE(std::ssize(page.items), limit);
      for (const auto& j : page.items)
        found.push_back(j.id);
      from = page.next;
    } while (from);
    return found;
  }
};

TEST_F(job_pages_test, the_newest_comes_first_and_intents_do_not_come_at_all) {
  for (const auto id : {1, 3, 2})
    add(one(id));
  rows.insert_intent(one(4));
  EXPECT_EQ(listed({}), (ids{3, 2, 1}));
}

TEST_F(job_pages_test, pages_of_any_size_hold_every_job_once) {
  for (std::int64_t id = 1; id <= 10; ++id) {
    auto j = one(id);
    j.created_at = timestamp{std::chrono::milliseconds{id / 4}}; // several share a moment
    add(j);
  }
  for (std::int64_t limit = 1; limit <= 11; ++limit)
    EXPECT_EQ(listed({}, limit), (ids{10, 9, 8, 7, 6, 5, 4, 3, 2, 1})) << limit;
}

TEST_F(job_pages_test, each_filter_leaves_what_it_names) {
  auto j = one(1);
  add(one(2));
  j.state = "FAILED";
  j.command_key = "train";
  j.dataset_sha = "other";
  j.experiment = "e";
  j.extras.name = "n";
  j.array_uuid = "a";
  j.extras.labels_json = R"({"k":"v:w"})";
  add(j);
  const std::vector<job_filter> filters{{.status = "FAILED"},
                                        {.command_key = "train"},
                                        {.dataset_sha = "other"},
                                        {.experiment_id = "e"},
                                        {.name = "n"},
                                        {.array = "a"},
                                        {.label_key = "k", .label_value = "v:w"}};
  for (std::size_t i = 0; i < filters.size(); ++i) {
    EXPECT_EQ(listed(filters[i]), ids{1}) << i;
    for (const auto& other : filters) { // in whatever order they are looked at
      auto both = filters[i];
      for (auto [from, into] : {std::pair{&other.status, &both.status},
                                {&other.command_key, &both.command_key},
                                {&other.dataset_sha, &both.dataset_sha},
                                {&other.experiment_id, &both.experiment_id},
                                {&other.name, &both.name},
                                {&other.array, &both.array},
                                {&other.label_key, &both.label_key},
                                {&other.label_value, &both.label_value}})
        if (!from->empty())
          *into = *from;
      EXPECT_EQ(listed(both), ids{1});
      if (both.status.empty()) {
        both.status = "RUNNING"; // which it is not
        EXPECT_TRUE(listed(both).empty()) << i;
      }
    }
  }
  EXPECT_TRUE(listed({.label_key = "k", .label_value = "v"}).empty());
  EXPECT_TRUE(listed({.name = "' OR 1=1 --"}).empty());
}

TEST_F(job_pages_test, since_counts_and_until_does_not) {
  for (std::int64_t id = 1; id <= 5; ++id)
    add(one(id));
  const auto at = [](int ms) { return timestamp{std::chrono::milliseconds{ms}}; };
  EXPECT_EQ(listed({.since = at(2), .until = at(4)}), (ids{3, 2}));
  EXPECT_EQ(listed({.status = "RUNNING", .since = at(4)}, 1), (ids{5, 4}));
  EXPECT_EQ(listed({.until = at(1)}), ids{});
}

TEST_F(job_pages_test, a_page_looks_at_no_more_rows_than_it_may) {
  sqlite::transaction t{db};
  db.run("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 50001) "
         "INSERT INTO jobs(uuid, job_id, slurm_id, dataset_sha, command_key, params_json, "
         "result_dir, log_path, gpus, cpus, mem_mb, time_limit_s, state, done, indexed, "
         "cancel_requested, seq, reason, node, created_at) SELECT 'x' || i, i, i, 'd', 'c', '{}', "
         "'', '', 0, 1, 1, 1, 'COMPLETED', 1, 1, 0, 1, '', '', i FROM c");
  db.run("UPDATE jobs SET state='FAILED' WHERE job_id=1");
  t.commit();
  const job_filter f{.status = "FAILED", .dataset_sha = "d"};
  const auto first = pages.list(f, std::nullopt, 10);
  EXPECT_TRUE(first.items.empty()); // and there is more
  ASSERT_TRUE(first.next);
  EXPECT_EQ(pages.list(f, first.next, 10).items.size(), 1U);
}

TEST_F(job_pages_test, a_page_of_large_jobs_ends_early) {
  for (std::int64_t id = 1; id <= 100; ++id) {
    auto j = one(id);
    j.params_json = "{\"x\":\"" + std::string(60'000, 'x') + "\"}";
    add(j);
  }
  const auto page = pages.list({}, std::nullopt, 1000);
  EXPECT_LT(page.items.size(), 75U);
  EXPECT_TRUE(page.next);
  EXPECT_EQ(listed({}, 1000).size(), 100U);
}

TEST_F(job_pages_test, every_list_starts_in_an_index_and_sorts_nothing) {
  // As job_pages.cpp has them, but for the columns.
  const std::string page =
      " AND created_at <= 9 AND created_at >= 0 ORDER BY created_at DESC, n DESC";
  const std::vector<std::pair<std::string, std::string>> queries{
      {"SELECT * FROM jobs WHERE 1" + page, "jobs_by_time"},
      {"SELECT * FROM jobs WHERE state='x'" + page, "jobs_by_state"},
      {"SELECT * FROM jobs WHERE command_key='x'" + page, "jobs_by_command"},
      {"SELECT * FROM jobs WHERE dataset_sha='x'" + page, "jobs_by_dataset"},
      {"SELECT * FROM jobs WHERE experiment='x' AND experiment<>''" + page, "jobs_by_experiment"},
      {"SELECT * FROM jobs WHERE name='x' AND name<>''" + page, "jobs_by_name"},
      {"SELECT * FROM jobs INDEXED BY jobs_by_array WHERE array_uuid='x' AND array_uuid<>''" + page,
       "jobs_by_array"},
      {"SELECT * FROM labels CROSS JOIN jobs ON n = job WHERE key='k' AND value='v' AND at <= 9 "
       "AND "
       "at >= 0 ORDER BY at DESC, job DESC",
       "PRIMARY KEY"},
      {"SELECT *, max(n) FROM jobs WHERE array_uuid='x' AND array_uuid<>'' AND array_index>1 AND "
       "job_id NOT NULL GROUP BY array_index ORDER BY array_index LIMIT 9",
       "jobs_by_task"}};
  for (const auto& [sql, index] : queries) {
    sqlite::statement explain{db, "EXPLAIN QUERY PLAN " + sql};
    std::string plan;
    for (auto r : explain())
      plan += r.text(3) + "\n";
    EXPECT_NE(plan.find(index), std::string::npos) << sql << "\n" << plan;
    EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << sql << "\n" << plan;
    EXPECT_TRUE(plan.starts_with("SEARCH")) << sql << "\n" << plan;
  }
}

TEST_F(job_pages_test, an_array_counts_each_task_as_its_newest_job) {
  for (std::int64_t id = 1; id <= 4; ++id) {
    auto j = one(id);
    j.array_uuid = "a";
    j.array_index = id == 4 ? 1 : id; // the fourth runs the first task again
    j.state = id == 1 ? "FAILED" : id == 4 ? "PENDING" : "COMPLETED";
    j.done = id != 4;
    add(j);
  }
  const auto all = pages.array("a", -1, 10);
  EXPECT_EQ(all.states,
            (std::vector<std::pair<std::string, std::int64_t>>{{"COMPLETED", 2}, {"PENDING", 1}}));
  EXPECT_FALSE(all.done);
  ASSERT_EQ(all.tasks.size(), 3U);
  EXPECT_EQ(all.tasks[0].id, 4);
  const auto rest = pages.array("a", 1, 1);
  ASSERT_EQ(rest.tasks.size(), 1U);
  EXPECT_EQ(rest.tasks[0].array_index, 2);
  EXPECT_TRUE(pages.array("b", -1, 10).states.empty());
  EXPECT_TRUE(pages.array("", -1, 10).states.empty());
}

} // namespace

} // namespace jobrunner::store
