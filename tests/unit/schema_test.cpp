#include "expect_failure.hpp"
#include "places.hpp"
#include "store/datasets.hpp"
#include "store/jobs.hpp"
#include "store/outputs.hpp"
#include "store/schema.hpp"
#include "store/transfers.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace jobrunner::store {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono;

struct schema : testing::Test {
  temp_folder root;
  fs::path file() const { return root / "jr_slurm.db"; }
  std::string refused() {
    return refusal([&] { migrate(root.path()); }, errc::internal);
  }
  std::int64_t number(const char* sql) {
    auto db = open(root.path());
    sqlite::statement s{db, sql};
    auto rows = s();
    return rows.first()->integer(0);
  }
};

TEST_F(schema, a_new_root_gets_empty_tables_that_nobody_else_can_read) {
  migrate(root.path());
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(number("PRAGMA user_version"), 3);
  auto db = open(root.path());
  EXPECT_TRUE(jobs{db}.open().empty());
  EXPECT_TRUE(datasets{db}.all().empty());
  EXPECT_FALSE(fs::exists(root / "jr_slurm.db.seed"));
}

TEST_F(schema, a_second_migration_changes_nothing) {
  migrate(root.path());
  {
    auto db = open(root.path());
    datasets{db}.put({std::string(64, 'a'), "datasets/a/", 1, {}});
  }
  migrate(root.path());
  EXPECT_EQ(number("SELECT count(*) FROM datasets"), 1);
}

TEST_F(schema, a_database_of_an_older_version_keeps_what_is_in_it) {
  {
    sqlite::database db{file()};
    db.run(fixture("schema-1.sql").c_str());
  }
  migrate(root.path());
  EXPECT_EQ(number("PRAGMA user_version"), 3);
  EXPECT_EQ(number("SELECT count(*) FROM outputs WHERE sha256 IS NULL AND stamp = ''"),
            number("SELECT count(*) FROM outputs"));
  auto db = open(root.path());
  const auto j = jobs{db}.find(7).value();
  EXPECT_EQ(j.state, "RUNNING");
  EXPECT_EQ(j.seq, 3);
  EXPECT_EQ(j.attempt, 1);
  EXPECT_EQ(j.extras.env_json, "{}");
  EXPECT_EQ(datasets{db}.all().size(), 1U);
  EXPECT_TRUE(transfers{db}.open().empty());
}

TEST_F(schema, a_newer_version_is_refused_and_left_byte_for_byte) {
  {
    sqlite3* raw = nullptr; // in SQLite's own journal mode, so that a switch to WAL would show
    sqlite3_open(file().c_str(), &raw);
    sqlite3_exec(raw, "CREATE TABLE later(x); PRAGMA user_version=7", nullptr, nullptr, nullptr);
    sqlite3_close(raw);
  }
  const auto before = root.get("jr_slurm.db");
  const auto why = refused();
  EXPECT_TRUE(says(why, "schema version 7")) << why;
  EXPECT_TRUE(says(why, "newer program")) << why;
  EXPECT_TRUE(says(why, file().string())) << why;
  EXPECT_TRUE(root.get("jr_slurm.db") == before);
}

TEST_F(schema, a_file_that_is_no_database_is_refused_and_left_byte_for_byte) {
  const std::string text(8192, 'x');
  root.put("jr_slurm.db", text);
  EXPECT_TRUE(says(refused(), "it is no SQLite database"));
  EXPECT_TRUE(root.get("jr_slurm.db") == text);
  EXPECT_FALSE(fs::exists(root / "jr_slurm.db-wal"));
}

TEST_F(schema, a_damaged_first_page_is_refused_and_not_made_anew) {
  migrate(root.path());
  auto bytes = root.get("jr_slurm.db");
  bytes.replace(100, 2000, std::string(2000, '\xff')); // the header is as it was
  root.put("jr_slurm.db", bytes);
  EXPECT_TRUE(says(refused(), "malformed"));
  EXPECT_TRUE(root.get("jr_slurm.db") == bytes);
}

TEST_F(schema, a_folder_or_a_link_in_its_place_is_refused) {
  fs::create_directory(file());
  EXPECT_TRUE(says(refused(), "Is a directory"));
  fs::remove(file());
  fs::create_symlink(root / "elsewhere", file());
  EXPECT_FALSE(refused().empty());
  EXPECT_FALSE(fs::exists(root / "elsewhere"));
}

TEST_F(schema, a_root_that_is_not_there_is_refused) {
  EXPECT_TRUE(says(refusal([&] { migrate(root / "none"); }, errc::internal), "No such file"));
}

} // namespace

} // namespace jobrunner::store
