#include "store/datasets.hpp"
#include "store/jobs.hpp"
#include "store/outputs.hpp"
#include "store/schema.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner::store {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono;

const std::string sha(64, 'a'), other(64, 'b');

/// A root as the FastAPI program left it.
struct seed : testing::Test {
  temp_folder root;
  sqlite3* raw = nullptr;

  seed() {
    sqlite3_open((root / "jr_slurm.db").c_str(), &raw);
    run("CREATE TABLE datasets(sha256 TEXT PRIMARY KEY, rel_path TEXT, bytes INTEGER,"
        " created_at TEXT DEFAULT CURRENT_TIMESTAMP);"
        "CREATE TABLE jobs(slurm_id INTEGER PRIMARY KEY, dataset_sha TEXT, command_key TEXT,"
        " params_json TEXT, result_dir TEXT, log_path TEXT,"
        " created_at TEXT DEFAULT CURRENT_TIMESTAMP);"
        "CREATE TABLE outputs(experiment_id TEXT, output_id TEXT, path TEXT, job_id INTEGER,"
        " created_at TEXT DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY(experiment_id, output_id));");
  }
  ~seed() override { sqlite3_close(raw); }

  void run(const std::string& sql) {
    ASSERT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(raw);
  }
  void job_row(int id, const std::string& result_dir) {
    run("INSERT INTO jobs VALUES(" + std::to_string(id) + ", '" + sha + "', 'echo_params', " +
        R"('{"a": 1}', ')" + result_dir + "', 'logs/slurm-" + std::to_string(id) +
        ".out', '2025-01-02 03:04:05')");
  }
  void output_row(int job, const std::string& id, const std::string& path,
                  const std::string& at = "2025-01-02 03:04:05") {
    run("INSERT INTO outputs VALUES('job-" + std::to_string(job) + "', '" + id + "', '" + path +
        "', " + std::to_string(job) + ", '" + at + "')");
  }
  std::string results(const std::string& name) const { return (root / "results" / name).string(); }

  void migrated() {
    sqlite3_close(raw);
    raw = nullptr;
    migrate(root.path());
  }
  job job_of(std::int64_t id) {
    auto db = open(root.path());
    return jobs{db}.find(id).value();
  }
  std::vector<output> outputs_of(std::int64_t id) {
    auto db = open(root.path());
    return outputs{db}.list({id, "", ""}, 0, 100).items;
  }
};

constexpr timestamp then = sys_days{2025y / January / 2} + 3h + 4min + 5s;

TEST_F(seed, datasets_keep_their_rows) {
  run("INSERT INTO datasets VALUES('" + sha + "', 'datasets/" + sha +
      "/', 13, '2025-01-02 03:04:05')");
  migrated();
  auto db = open(root.path());
  const auto all = datasets{db}.all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].sha256, sha);
  EXPECT_EQ(all[0].rel_path, "datasets/" + sha + "/");
  EXPECT_EQ(all[0].bytes, 13);
  EXPECT_EQ(all[0].created_at, then);
}

TEST_F(seed, jobs_keep_their_rows_and_are_over) {
  job_row(7, results("job_7"));
  migrated();
  const auto j = job_of(7);
  EXPECT_EQ(j.slurm_id, 7);
  EXPECT_EQ(j.dataset_sha, sha);
  EXPECT_EQ(j.command_key, "echo_params");
  EXPECT_EQ(j.params_json, R"({"a": 1})");
  EXPECT_EQ(j.result_dir, results("job_7"));
  EXPECT_EQ(j.log_path, "logs/slurm-7.out");
  EXPECT_EQ(j.created_at, then);
  EXPECT_EQ(j.state, "UNKNOWN");
  EXPECT_TRUE(j.done);
  EXPECT_TRUE(j.indexed); // their outputs are the rows that came along
  auto db = open(root.path());
  jobs rows{db};
  EXPECT_TRUE(rows.open().empty());
  EXPECT_TRUE(rows.unindexed().empty());
}

TEST_F(seed, outputs_keep_their_rows_newest_first) {
  job_row(7, results("job_7"));
  root.put("results/job_7/result.json", "{}");
  root.put("results/job_7/weights/model.pth", "12345");
  output_row(7, "weights", "weights/model.pth", "2025-01-02 03:04:06");
  output_row(7, "result", "result.json");
  migrated();
  const auto all = outputs_of(7);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].output_id, "weights");
  EXPECT_EQ(all[0].experiment_id, "job-7");
  EXPECT_EQ(all[0].path, "weights/model.pth");
  EXPECT_EQ(all[0].bytes, 5);
  EXPECT_EQ(all[0].kind, "weights");
  EXPECT_EQ(all[0].created_at, then + 1s);
  EXPECT_EQ(all[1].kind, "result");
  EXPECT_EQ(all[1].created_at, then);
}

TEST_F(seed, paths_of_outputs_become_relative_to_the_result_folder) {
  job_row(7, results("job_7"));
  root.put("results/job_7/weights/model.pth", "12345");
  root.put("results/job_7/results/job_7/twin.txt", "1"); // below a folder of the same name
  output_row(7, "absolute", results("job_7") + "/weights/model.pth");
  output_row(7, "below_root", "results/job_7/weights/model.pth");
  output_row(7, "gone", results("job_7") + "/gone.bin");
  output_row(7, "plain", "weights/model.pth");
  output_row(7, "twin", "results/job_7/twin.txt");
  migrated();
  std::map<std::string, std::string> paths;
  for (const auto& o : outputs_of(7))
    paths[o.output_id] = o.path;
  EXPECT_EQ(paths["absolute"], "weights/model.pth");
  EXPECT_EQ(paths["below_root"], "weights/model.pth");
  EXPECT_EQ(paths["gone"], "gone.bin");
  EXPECT_EQ(paths["plain"], "weights/model.pth");
  EXPECT_EQ(paths["twin"], "results/job_7/twin.txt");
}

TEST_F(seed, results_of_a_moved_root_are_found) {
  job_row(7, "/opt/before/results/job_7");
  job_row(8, "/opt/before/results/job_8/");
  root.put("results/job_7/weights/model.pth", "1");
  root.put("results/job_8/a.txt", "1");
  output_row(7, "weights", "/opt/before/results/job_7/weights/model.pth");
  migrated();
  EXPECT_EQ(job_of(7).result_dir, results("job_7"));
  EXPECT_EQ(job_of(8).result_dir, results("job_8"));
  ASSERT_EQ(outputs_of(7).size(), 1U);
  EXPECT_EQ(outputs_of(7)[0].path, "weights/model.pth");
  EXPECT_EQ(outputs_of(7)[0].bytes, 1);
}

TEST_F(seed, a_job_without_a_result_folder_does_not_get_all_results) {
  job_row(7, "");
  job_row(8, "/opt/before/results/..");
  job_row(9, "/");
  root.put("results/job_1/a.txt", "1");
  migrated();
  EXPECT_EQ(job_of(7).result_dir, "");
  EXPECT_EQ(job_of(8).result_dir, "/opt/before/results/..");
  EXPECT_EQ(job_of(9).result_dir, "/");
}

TEST_F(seed, the_database_as_it_was_stays_beside_it_for_its_owner_alone) {
  job_row(7, results("job_7"));
  migrated();
  const auto copy = root / "jr_slurm.db.seed";
  EXPECT_EQ(fs::status(copy).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  sqlite::database db{copy};
  sqlite::statement old{db, "SELECT created_at FROM jobs WHERE slurm_id = 7"};
  EXPECT_EQ(old().first()->text(0), "2025-01-02 03:04:05");
}

TEST_F(seed, half_a_copy_that_a_crash_left_is_made_anew) {
  job_row(7, results("job_7"));
  root.put("jr_slurm.db.seed.tmp", "half");
  migrated();
  sqlite::database db{root / "jr_slurm.db.seed"};
  sqlite::statement old{db, "SELECT count(*) FROM jobs"};
  EXPECT_EQ(old().first()->integer(0), 1);
  EXPECT_FALSE(fs::exists(root / "jr_slurm.db.seed.tmp"));
}

TEST_F(seed, empty_fields_and_one_name_in_two_experiments_are_no_obstacle) {
  run("INSERT INTO datasets(sha256) VALUES('" + sha + "')");
  run("INSERT INTO jobs(slurm_id) VALUES(7)");
  run("INSERT INTO outputs VALUES('first', 'weights', 'a.pth', 7, NULL)");
  run("INSERT INTO outputs VALUES('second', 'weights', 'a.pth', 7, NULL)");
  run("INSERT INTO outputs VALUES('third', 'weights', NULL, NULL, 'no time')");
  migrated();
  EXPECT_EQ(job_of(7).params_json, "{}");
  EXPECT_EQ(outputs_of(7).size(), 2U);
  EXPECT_EQ(outputs_of(0).size(), 1U);
  auto db = open(root.path());
  EXPECT_EQ(datasets{db}.all().at(0).rel_path, "datasets/" + sha + "/");
}

TEST_F(seed, a_database_with_some_of_the_tables_opens) {
  run("DROP TABLE outputs; DROP TABLE jobs");
  run("INSERT INTO datasets VALUES('" + sha + "', 'datasets/x', 1, '2025-01-02 03:04:05')");
  migrated();
  auto db = open(root.path());
  EXPECT_EQ(datasets{db}.all().size(), 1U);
}

TEST_F(seed, a_dataset_folder_without_a_row_stays) {
  run("INSERT INTO datasets VALUES('" + sha + "', 'datasets/" + sha + "/', 1, NULL)");
  root.put("datasets/" + sha + "/a.txt", "named");
  root.put("datasets/" + other + "/b.txt", "not named");
  migrated();
  EXPECT_EQ(root.get("datasets/" + sha + "/a.txt"), "named");
  EXPECT_EQ(root.get("datasets/" + other + ".without-row/b.txt"), "not named");
}

TEST_F(seed, a_migration_that_fails_changes_nothing) {
  job_row(7, results("job_7"));
  run("CREATE TABLE jobs_open(x)"); // the name of an index of ours
  sqlite3_close(raw);
  raw = nullptr;
  EXPECT_ANY_THROW(migrate(root.path()));
  sqlite::database db{root / "jr_slurm.db"};
  sqlite::statement still{db, "SELECT count(*) FROM jobs WHERE slurm_id = 7"};
  EXPECT_EQ(still().first()->integer(0), 1);
  sqlite::statement version{db, "PRAGMA user_version"};
  EXPECT_EQ(version().first()->integer(0), 0);
}

} // namespace

} // namespace jobrunner::store
