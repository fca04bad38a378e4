#include "expect_failure.hpp"
#include "store/jobs.hpp"
#include "store/schema.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner::store {

namespace {

using namespace std::chrono_literals;
using uuids = std::vector<std::string>;

job intent(const std::string& uuid) {
  job j;
  j.uuid = uuid;
  j.dataset_sha = std::string(64, 'a');
  j.command_key = "echo_params";
  j.params_json = R"({"text": "ä \" ' ; % _"})";
  j.result_dir = "/root/results/" + uuid;
  j.log_path = "logs/" + uuid;
  j.wanted = {1, 2, 3000, 4};
  j.state = "PENDING";
  j.created_at = timestamp{1700000000123ms};
  j.extras = {"näme", "e1", R"({"k":"v"})", R"({"A":"b,c"})", "USR1@60", {3, 45}, "https://h/x"};
  j.array_uuid = "array";
  j.array_index = 4;
  j.held = true;
  j.array_spec = "0-9%2";
  j.requeued_from = 3;
  j.experiment = "e2";
  return j;
}

job accepted(const std::string& uuid, std::int64_t id) {
  auto j = intent(uuid);
  j.id = j.slurm_id = id;
  j.seq = 1;
  return j;
}

struct job_rows : testing::Test {
  temp_folder root;
  sqlite::database db{(migrate(root.path()), open(root.path()))};
  jobs rows{db};
  void add(const job& j) {
    rows.insert_intent(j);
    rows.update(j);
  }
  static uuids uuids_of(const std::vector<job>& all) {
    uuids found;
    for (const auto& j : all)
      found.push_back(j.uuid);
    return found;
  }
};

TEST_F(job_rows, an_intent_has_all_that_is_needed_to_run_it_and_no_id) {
  rows.insert_intent(intent("a"));
  const auto open = rows.open();
  ASSERT_EQ(open.size(), 1U);
  const auto& j = open[0];
  EXPECT_EQ(j.id, 0);
  EXPECT_EQ(j.slurm_id, 0);
  EXPECT_EQ(j.params_json, intent("a").params_json);
  EXPECT_EQ(j.dataset_sha, intent("a").dataset_sha);
  EXPECT_EQ(j.result_dir, "/root/results/a");
  EXPECT_EQ(j.log_path, "logs/a");
  EXPECT_EQ(j.wanted.gpus, 1);
  EXPECT_EQ(j.wanted.cpus, 2);
  EXPECT_EQ(j.wanted.mem_mb, 3000);
  EXPECT_EQ(j.wanted.time_limit_s, 4);
  EXPECT_EQ(j.created_at, intent("a").created_at);
  EXPECT_FALSE(j.done || j.indexed || j.cancel_requested);
  EXPECT_EQ(j.extras.name, "näme");
  EXPECT_EQ(j.extras.experiment_id, "e1");
  EXPECT_EQ(j.extras.labels_json, R"({"k":"v"})");
  EXPECT_EQ(j.extras.env_json, R"({"A":"b,c"})");
  EXPECT_EQ(j.extras.signal, "USR1@60");
  EXPECT_EQ(j.extras.after, (std::vector<std::int64_t>{3, 45}));
  EXPECT_EQ(j.extras.webhook_url, "https://h/x");
  EXPECT_EQ(j.array_uuid, "array");
  EXPECT_EQ(j.array_index, 4);
  EXPECT_EQ(j.attempt, 1);
  EXPECT_TRUE(j.held);
  EXPECT_EQ(j.array_spec, "0-9%2");
  EXPECT_EQ(j.requeued_from, 3);
  EXPECT_EQ(j.experiment, "e2");
}

TEST_F(job_rows, everything_that_changes_comes_back_as_it_was_written) {
  auto j = accepted("a", 7);
  j.slurm_id = 3; // given twice
  j.state = "FAILED";
  j.done = j.indexed = j.cancel_requested = true;
  j.seq = 12;
  j.exit_code = 7;
  j.exit_signal = 9;
  j.reason = "no \"reason\"";
  j.node = "n[1-2]";
  j.started_at = timestamp{1ms};
  j.ended_at = timestamp{1700000000999ms};
  j.attempt = 2;
  j.held = false;
  j.experiment = "other";
  j.log_tail = "last\nlines\n";
  j.kill_at = timestamp{5ms};
  j.result_dir = "/root/results/a/2";
  add(j);
  const auto r = rows.find(7).value();
  EXPECT_EQ(r.uuid, "a");
  EXPECT_EQ(r.slurm_id, 3);
  EXPECT_EQ(r.state, "FAILED");
  EXPECT_TRUE(r.done && r.indexed && r.cancel_requested);
  EXPECT_EQ(r.seq, 12);
  EXPECT_EQ(r.exit_code, 7);
  EXPECT_EQ(r.exit_signal, 9);
  EXPECT_EQ(r.reason, "no \"reason\"");
  EXPECT_EQ(r.node, "n[1-2]");
  EXPECT_EQ(r.attempt, 2);
  EXPECT_FALSE(r.held);
  EXPECT_EQ(r.experiment, "other");
  EXPECT_EQ(r.log_tail, "last\nlines\n");
  EXPECT_EQ(r.kill_at, timestamp{5ms});
  EXPECT_EQ(r.result_dir, "/root/results/a/2");
  EXPECT_EQ(r.started_at, timestamp{1ms});
  EXPECT_EQ(r.ended_at, timestamp{1700000000999ms});
}

TEST_F(job_rows, what_is_not_known_yet_stays_unknown) {
  add(accepted("a", 7));
  const auto r = rows.find(7).value();
  EXPECT_EQ(r.exit_code, std::nullopt);
  EXPECT_EQ(r.exit_signal, std::nullopt);
  EXPECT_EQ(r.started_at, std::nullopt);
  EXPECT_EQ(r.kill_at, std::nullopt);
  EXPECT_EQ(r.ended_at, std::nullopt);
}

TEST_F(job_rows, open_jobs_are_those_without_an_end_oldest_first) {
  add(accepted("a", 9));
  auto over = accepted("b", 8);
  over.done = true;
  add(over);
  rows.insert_intent(intent("c"));
  EXPECT_EQ(uuids_of(rows.open()), (uuids{"a", "c"}));
}

TEST_F(job_rows, unindexed_jobs_are_those_that_ended_and_were_not_read) {
  for (const auto* uuid : {"a", "b", "c"})
    rows.insert_intent(intent(uuid));
  auto b = accepted("b", 2), c = accepted("c", 3);
  b.done = c.done = c.indexed = true;
  rows.update(b);
  rows.update(c);
  EXPECT_EQ(uuids_of(rows.unindexed()), uuids{"b"});
  EXPECT_EQ(uuids_of(rows.newest(10)), (uuids{"c", "b"}));
  EXPECT_EQ(uuids_of(rows.newest(1)), uuids{"c"});
}

TEST_F(job_rows, an_unknown_id_finds_nothing_and_neither_does_that_of_an_intent) {
  rows.insert_intent(intent("a"));
  EXPECT_FALSE(rows.find(7));
  EXPECT_FALSE(rows.find(0));
}

TEST_F(job_rows, a_removed_intent_is_gone) {
  rows.insert_intent(intent("a"));
  rows.remove("a");
  EXPECT_TRUE(rows.open().empty());
}

TEST_F(job_rows, the_largest_id_is_that_of_all_jobs) {
  EXPECT_EQ(rows.largest_id(), 0);
  add(accepted("a", 9));
  add(accepted("b", 4));
  EXPECT_EQ(rows.largest_id(), 9);
}

TEST_F(job_rows, labels_go_with_their_job) {
  const auto labels = [&] {
    sqlite::statement s{db, "SELECT count(*) FROM labels"};
    return s().first()->integer(0);
  };
  rows.insert_intent(intent("a"));
  EXPECT_EQ(labels(), 1);
  rows.remove("a");
  EXPECT_EQ(labels(), 0);
}

TEST_F(job_rows, a_job_whose_labels_cannot_be_written_is_not_written_either) {
  db.run("DROP TABLE labels");
  jobs others{(db.run("CREATE TABLE labels(key, value, at, job)"), db)};
  db.run("CREATE TRIGGER full BEFORE INSERT ON labels BEGIN SELECT RAISE(ABORT, 'full'); END");
  EXPECT_THROW(others.insert_intent(intent("a")), failure);
  EXPECT_TRUE(others.open().empty());
}

TEST_F(job_rows, a_task_is_the_newest_job_of_its_index) {
  auto first = accepted("a", 7), second = accepted("b", 8), again = accepted("c", 9);
  first.array_index = again.array_index = 1;
  second.array_index = 0;
  for (const auto& j : {first, second, again})
    add(j);
  EXPECT_EQ(uuids_of(rows.tasks("array")), (uuids{"b", "c"}));
  EXPECT_TRUE(rows.tasks("other").empty());
  EXPECT_TRUE(rows.tasks("").empty());
}

TEST_F(job_rows, no_two_jobs_have_one_id) {
  add(accepted("a", 9));
  rows.insert_intent(intent("b"));
  refusal([&] { rows.update(accepted("b", 9)); }, errc::conflict);
  EXPECT_EQ(rows.find(9)->uuid, "a");
}

} // namespace

} // namespace jobrunner::store
