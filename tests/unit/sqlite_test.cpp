#include "core/sqlite.hpp"
#include "expect_failure.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner::sqlite {

namespace {

std::string pragma(database& db, const std::string& name) {
  statement s{db, "PRAGMA " + name};
  return s().first()->text(0);
}

TEST(sqlite, what_was_committed_survives_a_power_loss) {
  const temp_folder folder;
  database db{folder / "db"};
  EXPECT_EQ(pragma(db, "journal_mode"), "wal");
  EXPECT_EQ(pragma(db, "synchronous"), "2"); // FULL
}

TEST(sqlite, rows_come_back_in_a_range_for) {
  database db{":memory:"};
  db.run("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)");
  statement insert{db, "INSERT INTO t(name) VALUES(?)"};
  statement all{db, "SELECT id, name FROM t WHERE id > ? ORDER BY id"};
  insert("a");
  insert("b");
  std::string names;
  for (auto r : all(std::int64_t{0}))
    names += r.text(1);
  for (auto r : all(std::int64_t{1})) // a statement can run again
    names += r.text(1);
  EXPECT_EQ(names, "abb");
  EXPECT_EQ(all(std::int64_t{1}).first()->integer(0), 2);
  EXPECT_FALSE(all(std::int64_t{2}).first());
}

TEST(sqlite, values_come_back_byte_for_byte) {
  database db{":memory:"};
  db.run("CREATE TABLE t(x, y)");
  statement insert{db, "INSERT INTO t VALUES(?, ?)"}, all{db, "SELECT x, y FROM t"};
  constexpr char bytes[] =
      "'; DROP TABLE t; -- \xc3\xa4 \0 end"; // NOLINT(modernize-avoid-c-arrays)
  const std::string text{bytes, sizeof bytes - 1};
  insert(text, std::optional<std::int64_t>{});
  auto found = all();
  EXPECT_EQ(found.first()->text(0), text);
  EXPECT_TRUE(found.first()->null(1));
  EXPECT_EQ(found.first()->text(1), "");
}

TEST(sqlite, a_broken_constraint_is_a_conflict_and_the_statement_stays_usable) {
  database db{":memory:"};
  db.run("CREATE TABLE t(name TEXT UNIQUE)");
  statement insert{db, "INSERT INTO t VALUES(?)"};
  insert("a");
  refusal([&] { insert("a"); }, errc::conflict);
  insert("b");
}

TEST(sqlite, a_full_disk_is_disk_full) {
  const temp_folder folder;
  database db{folder / "db"};
  db.run("CREATE TABLE t(x); PRAGMA max_page_count=4");
  statement insert{db, "INSERT INTO t VALUES(?)"};
  refusal([&] { insert(std::string(100000, 'x')); }, errc::disk_full);
  insert("small");
}

TEST(sqlite, a_database_that_stays_locked_is_unavailable) {
  const temp_folder folder;
  database one{folder / "db"}, other{folder / "db"};
  other.run("PRAGMA busy_timeout=50");
  const transaction writing{one};
  refusal([&] { const transaction t{other}; }, errc::unavailable);
}

TEST(sqlite, a_wrong_statement_or_file_is_internal) {
  database db{":memory:"};
  refusal([&] { statement{db, "SELEKT"}; }, errc::internal);
  refusal([] { database{"/nonexistent/db"}; }, errc::internal);
}

TEST(sqlite, a_transaction_rolls_back_unless_committed) {
  database db{":memory:"};
  db.run("CREATE TABLE t(x)");
  statement insert{db, "INSERT INTO t VALUES(?)"}, count{db, "SELECT count(*) FROM t"};
  {
    const transaction t{db};
    insert(std::int64_t{1});
  }
  EXPECT_EQ(count().first()->integer(0), 0);
  {
    transaction t{db};
    insert(std::int64_t{1});
    t.commit();
  }
  EXPECT_EQ(count().first()->integer(0), 1);
}

} // namespace

} // namespace jobrunner::sqlite
