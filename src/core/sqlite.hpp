// SQLite without its C: a connection, a prepared statement, a transaction.
// One connection belongs to one actor; nothing here is thread-safe.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace jobrunner::sqlite {

/// It and its statements are for one thread at a time.
class database {
public:
  /// Opens or creates `file` in WAL mode, synchronous=FULL.
  /// Throws failure{internal} if SQLite cannot, as every call here does for SQLite's own errors;
  /// conflict for a broken constraint, disk_full, and unavailable when locked for too long.
  explicit database(const std::filesystem::path& file);

  /// Runs one or more statements that return nothing.
  void run(const char* sql);

  /// Rows that the last INSERT, UPDATE or DELETE changed (sqlite3_changes()).
  int changes() const noexcept { return sqlite3_changes(handle()); }

  bool in_transaction() const noexcept { return sqlite3_get_autocommit(handle()) == 0; }

  sqlite3* handle() const noexcept { return handle_.get(); }

private:
  struct close {
    void operator()(sqlite3* p) const noexcept { sqlite3_close(p); }
  };
  std::unique_ptr<sqlite3, close> handle_;
};

/// One row of a running statement; columns count from 0.
class row {
public:
  explicit row(sqlite3_stmt* s) noexcept : stmt_(s) {}
  std::int64_t integer(int column) const { return sqlite3_column_int64(stmt_, column); }
  std::string text(int column) const;
  bool null(int column) const { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }

private:
  sqlite3_stmt* stmt_;
};

/// A prepared statement. Call it with its parameters to get its rows:
///     for (auto r : by_state_("RUNNING")) jobs.push_back(read_job(r));
class statement {
public:
  statement(database& db, std::string_view sql);

  class rows;
  template <class... Ts>
  rows operator()(const Ts&... xs);

private:
  void bind(int index, std::int64_t x);
  void bind(int index, std::string_view x);
  void bind(int index, std::nullptr_t);
  template <class T>
  void bind(int index, const std::optional<T>& x) {
    x ? bind(index, *x) : bind(index, nullptr);
  }

  struct finalize {
    void operator()(sqlite3_stmt* p) const noexcept { sqlite3_finalize(p); }
  };
  std::unique_ptr<sqlite3_stmt, finalize> stmt_;
};

/// The rows still to come. Resets the statement when it goes, because a
/// half-read statement holds a read lock and keeps the WAL from shrinking.
class statement::rows {
public:
  explicit rows(sqlite3_stmt* s) : stmt_(s) { next(); }
  rows(const rows&) = delete;
  rows& operator=(const rows&) = delete;
  ~rows() { sqlite3_reset(stmt_); }

  struct iterator {
    rows* all;
    row operator*() const { return row{all->stmt_}; }
    iterator& operator++() {
      all->next();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const noexcept { return all->done_; }
  };
  iterator begin() noexcept { return {this}; }
  std::default_sentinel_t end() const noexcept { return {}; }

  /// The first row, if there is one.
  std::optional<row> first() { return done_ ? std::nullopt : std::optional{row{stmt_}}; }

private:
  void next();
  sqlite3_stmt* stmt_;
  bool done_ = false;
};

template <class... Ts>
statement::rows statement::operator()(const Ts&... xs) {
  int index = 0;
  (bind(++index, xs), ...);
  return rows{stmt_.get()};
}

/// Rolls back unless `commit()` was called.
class transaction {
public:
  explicit transaction(database& db) : db_(db) { db_.run("BEGIN IMMEDIATE"); }
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction() {
    if (!done_)
      sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void commit() {
    db_.run("COMMIT");
    done_ = true;
  }

private:
  database& db_;
  bool done_ = false;
};

} // namespace jobrunner::sqlite
