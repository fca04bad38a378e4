#include "core/sqlite.hpp"

#include "core/durable.hpp"
#include "core/error.hpp"

namespace jobrunner::sqlite {

namespace {

errc meaning(int rc) {
  switch (rc & 0xff) { // the primary result code
    case SQLITE_CONSTRAINT:
      return errc::conflict;
    case SQLITE_FULL:
      return errc::disk_full;
    case SQLITE_BUSY:
      return errc::unavailable;
    default:
      return errc::internal;
  }
}

/// The disk has lost what was to be committed, or may have.
void end_if_lost(sqlite3* db) {
  const int code = sqlite3_extended_errcode(db);
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
    end_after_lost_write("the database", sqlite3_errmsg(db));
}

void check(sqlite3* db, int rc) {
  if (rc != SQLITE_OK)
    end_if_lost(db);
  if (rc != SQLITE_OK)
    throw failure(meaning(rc), std::string{"database: "} + sqlite3_errmsg(db));
}

} // namespace

database::database(const std::filesystem::path& file) {
  sqlite3* raw = nullptr;
  // Without a mutex, which each column of each row would take: one thread at a time.
  constexpr int how = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int rc = sqlite3_open_v2(file.c_str(), &raw, how, nullptr);
  handle_.reset(raw); // SQLite hands out a handle even when it fails
  check(raw, rc);
  // FULL: what was acknowledged survives a power loss; NORMAL loses the last commits of a WAL.
  run("PRAGMA busy_timeout=10000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
}

void database::run(const char* sql) {
  check(handle(), sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr));
}

std::string row::text(int column) const {
  const auto* p = reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column));
  return {p, p ? static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column)) : 0};
}

statement::statement(database& db, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  check(db.handle(), sqlite3_prepare_v3(db.handle(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr));
  stmt_.reset(raw);
}

void statement::bind(int i, std::int64_t x) {
  check(sqlite3_db_handle(stmt_.get()), sqlite3_bind_int64(stmt_.get(), i, x));
}
void statement::bind(int i, std::nullptr_t) {
  check(sqlite3_db_handle(stmt_.get()), sqlite3_bind_null(stmt_.get(), i));
}
void statement::bind(int i, std::string_view x) {
  // TRANSIENT makes SQLite copy: a bound view must not outlive its argument.
  check(sqlite3_db_handle(stmt_.get()),
        sqlite3_bind_text64(stmt_.get(), i, x.data(), x.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void statement::rows::next() {
  switch (const int rc = sqlite3_step(stmt_)) {
    case SQLITE_ROW:
      return;
    case SQLITE_DONE:
      done_ = true;
      return;
    default: {
      auto* db = sqlite3_db_handle(stmt_);
      end_if_lost(db);
      const std::string why = sqlite3_errmsg(db);
      sqlite3_reset(stmt_);
      throw failure(meaning(rc), "database: " + why);
    }
  }
}

} // namespace jobrunner::sqlite
