// A page of a list of a million jobs costs what one of a short list costs, at any depth and with
// any filter. Counted, not timed: SQLite says how it goes about a query and how far it went.
#include "store/job_pages.hpp"
#include "store/schema.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>
#include <string>

namespace jobrunner::store {

namespace {

constexpr std::int64_t jobs_there_are = 1'000'000, page = 100;
constexpr std::int64_t first_ms = 1'700'000'000'000;

std::int64_t created_at(std::int64_t n) {
  return first_ms + n / 3; // several share a millisecond
}

struct job_pages_scale : testing::Test {
  temp_folder root;
  sqlite::database db{(migrate(root.path()), open(root.path()))};
  job_pages pages{db};

  void a_million_jobs() {
    db.run("PRAGMA synchronous=OFF; PRAGMA cache_size=-200000");
    const auto count = std::to_string(jobs_there_are);
    db.run(("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM i WHERE n<" + count +
            ") INSERT INTO jobs(n, uuid, job_id, slurm_id, dataset_sha, command_key, params_json, "
            "result_dir, log_path, gpus, cpus, mem_mb, time_limit_s, state, done, indexed, "
            "cancel_requested, seq, reason, node, created_at, name, experiment, array_uuid, "
            "array_index, labels_json) "
            "SELECT n, 'u'||n, n, n, 'd'||(n%10), 'c'||(n%3), '{}', '/r', 'l', 0, 1, 1024, 60, "
            "CASE WHEN n%100=0 THEN 'PENDING' WHEN n%20=0 THEN 'FAILED' ELSE 'COMPLETED' END, "
            "1, 1, 0, 1, '', '', " +
            std::to_string(first_ms) +
            "+n/3, "
            "iif(n%50=0, 'name', ''), iif(n%2=0, 'e'||(n%1000), ''), iif(n%5=0, 'a', ''), n, "
            "iif(n%25=0, '{\"k\":\"v\"}', '{}') FROM i; "
            "INSERT INTO labels SELECT 'k', 'v', created_at, n FROM jobs WHERE n%25=0")
               .c_str());
  }

  template <class F>
  void each_statement(F f) {
    for (auto* s = sqlite3_next_stmt(db.handle(), nullptr); s;
         s = sqlite3_next_stmt(db.handle(), s))
      f(s);
  }
  std::int64_t spent(int what) {
    std::int64_t all = 0;
    each_statement([&](sqlite3_stmt* s) { all += sqlite3_stmt_status(s, what, 1); });
    return all;
  }
};

struct a_filter {
  const char* name;
  job_filter filter;
  std::int64_t every; // of so many jobs one fits
};

const a_filter filters[] = {
    {"none", {}, 1},
    {"a common status", {.status = "COMPLETED"}, 1},
    {"a rare status", {.status = "PENDING"}, 100},
    {"failed", {.status = "FAILED"}, 25},
    {"command_key", {.command_key = "c1"}, 3},
    {"dataset_sha", {.dataset_sha = "d3"}, 10},
    {"experiment_id", {.experiment_id = "e10"}, 1000},
    {"name", {.name = "name"}, 50},
    {"array", {.array = "a"}, 5},
    {"label", {.label_key = "k", .label_value = "v"}, 25},
};

TEST_F(job_pages_scale, each_query_goes_by_an_index_and_sorts_nothing) {
  std::vector<std::string> queries;
  each_statement([&](sqlite3_stmt* s) {
    const std::string sql = sqlite3_sql(s);
    if (sql.find("ORDER BY") != std::string::npos && sql.find("GROUP BY") == std::string::npos)
      queries.push_back(sql);
  });
  EXPECT_EQ(queries.size(),
            8U); // all, and by state, command, dataset, experiment, name, array, label
  for (const auto& sql : queries) {
    sqlite::statement explain{db, "EXPLAIN QUERY PLAN " + sql};
    int steps = 0;
    for (auto r : explain()) {
      const auto step = r.text(3);
      ++steps;
      EXPECT_TRUE(step.starts_with("SEARCH ")) << step << " in " << sql;
      EXPECT_TRUE(steps > 1 || step.find("at>? AND") != std::string::npos) << step << " in " << sql;
      EXPECT_EQ(step.find("TEMP B-TREE"), std::string::npos) << step << " in " << sql;
      if (steps > 1) { // a job of a label
        EXPECT_TRUE(step.starts_with("SEARCH jobs USING INTEGER PRIMARY KEY")) << step;
      } else if (sql.find("WHERE 1 ") == std::string::npos) {
        EXPECT_TRUE(step.find("=? AND ") != std::string::npos) << step << " in " << sql;
      }
    }
    EXPECT_GE(steps, 1) << sql;
  }
}

TEST_F(job_pages_scale, a_page_costs_the_same_at_any_depth_with_any_filter) {
  a_million_jobs();
  for (const auto& [name, filter, every] : filters) {
    for (const std::int64_t from : {std::int64_t{0}, jobs_there_are - 10, jobs_there_are / 2,
                                    std::int64_t{200'000}, std::int64_t{120'000}}) {
      spent(SQLITE_STMTSTATUS_VM_STEP);
      spent(SQLITE_STMTSTATUS_FULLSCAN_STEP);
      spent(SQLITE_STMTSTATUS_SORT);
      const auto at = from == 0 ? std::nullopt : std::optional{job_cursor{created_at(from), from}};
      const auto got = pages.list(filter, at, page);
      const auto where = std::string{name} + " from " + std::to_string(from);
      ASSERT_EQ(std::ssize(got.items), page) << where;
      ASSERT_TRUE(got.next) << where;
      for (std::size_t i = 1; i < got.items.size(); ++i)
        EXPECT_GT(got.items[i - 1].id, got.items[i].id) << where;
      EXPECT_LT(got.items.front().id, from == 0 ? jobs_there_are + 1 : from) << where;
      EXPECT_GE(got.items.front().id, (from == 0 ? jobs_there_are : from) - every * 2 - 1) << where;
      EXPECT_GE(got.items.back().id, (from == 0 ? jobs_there_are : from) - every * (page + 2) * 2)
          << where;
      // A row of 41 columns takes some 60 steps; a scan of the table would take tens of millions.
      EXPECT_LT(spent(SQLITE_STMTSTATUS_VM_STEP), page * 150) << where;
      EXPECT_EQ(spent(SQLITE_STMTSTATUS_FULLSCAN_STEP), 0) << where;
      EXPECT_EQ(spent(SQLITE_STMTSTATUS_SORT), 0) << where;
    }
  }

  // Filters that seldom meet look at a bounded number of rows.
  spent(SQLITE_STMTSTATUS_VM_STEP);
  job_filter f;
  f.command_key = "c1";
  f.dataset_sha = "nothing";
  f.status = "FAILED";
  EXPECT_TRUE(pages.list(f, std::nullopt, page).items.empty());
  f.dataset_sha = "d3"; // none of them failed
  const auto got = pages.list(f, std::nullopt, page);
  EXPECT_TRUE(got.items.empty());
  EXPECT_TRUE(got.next); // there may be some further on
  EXPECT_LT(spent(SQLITE_STMTSTATUS_VM_STEP), 50'000 * 150);
}

} // namespace

} // namespace jobrunner::store
