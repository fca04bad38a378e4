#include "expect_failure.hpp"
#include "store/deletions.hpp"
#include "store/events.hpp"
#include "store/jobs.hpp"
#include "store/outputs.hpp"
#include "store/schema.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner::store {

namespace {

struct deletions_test : testing::Test {
  temp_folder root;
  sqlite::database db{(migrate(root.path()), open(root.path()))};
  jobs rows{db};
  deletions deleted{db};

  job add(std::int64_t id) {
    job j;
    j.uuid = "u" + std::to_string(id);
    j.id = j.slurm_id = id;
    j.params_json = "{}";
    j.result_dir = "/r/" + j.uuid;
    j.log_path = "logs/" + j.uuid;
    j.extras.labels_json = R"({"k":"v"})";
    j.done = true;
    rows.insert_intent(j);
    rows.update(j);
    job_event e{0, id, 1, "state", "COMPLETED", true, "", {}};
    events{db}.insert(e);
    outputs{db}.replace(id, {{"e", "o", "p", id, 1, "file", {}}});
    return j;
  }
  std::int64_t count(const char* table) {
    sqlite::statement s{db, std::string{"SELECT count(*) FROM "} + table};
    return s().first()->integer(0);
  }
};

TEST_F(deletions_test, everything_of_the_job_goes_and_nothing_of_another) {
  const auto gone = add(7), kept = add(8);
  deleted.remove(gone);
  for (const char* table : {"jobs", "labels", "events", "outputs"})
    EXPECT_EQ(count(table), 1) << table;
  EXPECT_FALSE(rows.find(7));
  EXPECT_TRUE(rows.find(kept.id));
  EXPECT_TRUE(deleted.contains(7));
  EXPECT_FALSE(deleted.contains(8));
}

TEST_F(deletions_test, its_id_stays_the_largest_that_was_given) {
  add(3);
  deleted.remove(add(7));
  EXPECT_EQ(rows.largest_id(), 7);
}

TEST_F(deletions_test, its_files_are_left_until_they_are_removed) {
  const auto j = add(7);
  deleted.remove(j);
  const auto left = deleted.leftovers();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].uuid, j.uuid);
  EXPECT_EQ(left[0].result_dir, j.result_dir);
  EXPECT_EQ(left[0].log_path, j.log_path);
  deleted.removed(7);
  EXPECT_TRUE(deleted.leftovers().empty());
  EXPECT_TRUE(deleted.contains(7));
}

TEST_F(deletions_test, an_index_that_comes_too_late_leaves_no_outputs) {
  deleted.remove(add(7));
  refusal([&] { outputs{db}.replace(7, {{"e", "o", "p", 7, 1, "file", {}}}); }, errc::not_found);
  EXPECT_EQ(count("outputs"), 0);
}

TEST_F(deletions_test, a_folder_that_another_job_has_too_is_in_use) {
  const auto j = add(7);
  EXPECT_TRUE(deleted.in_use(j.result_dir));
  deleted.remove(j);
  EXPECT_FALSE(deleted.in_use(j.result_dir));
}

} // namespace

} // namespace jobrunner::store
