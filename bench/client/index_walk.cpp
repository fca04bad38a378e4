// The least that indexing a folder of results can be: a walk that looks at every file, and one
// transaction with a row for each, in a table with the indexes that the server's lists need.
//
//   bench-index-walk FOLDER DATABASE
//
// DATABASE must not exist. Prints {"files":N,"walk":S,"seconds":S}.
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace {

struct found {
  std::string path;
  long long bytes;
  std::string stamp;
};

void walk(int folder, const std::string& prefix, std::vector<found>& all) {
  DIR* entries = fdopendir(folder);
  if (entries == nullptr)
    throw std::runtime_error("cannot read " + prefix);
  while (const auto* e = readdir(entries)) {
    const std::string name = e->d_name;
    if (name == "." || name == "..")
      continue;
    if (e->d_type == DT_DIR) {
      walk(openat(dirfd(entries), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
           prefix + name + "/", all);
      continue;
    }
    struct stat about {};
    if (fstatat(dirfd(entries), e->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0)
      all.push_back({prefix + name, about.st_size,
                     std::to_string(about.st_ino) + "-" + std::to_string(about.st_mtim.tv_sec) +
                         "-" + std::to_string(about.st_mtim.tv_nsec)});
  }
  closedir(entries);
}

// As src/store/schema.cpp has it: whoever makes no short addresses and no lists needs less, and
// answers less.
constexpr auto table = R"(
PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
CREATE TABLE outputs(
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL, experiment_id TEXT NOT NULL, output_id TEXT NOT NULL,
  path TEXT NOT NULL, bytes INTEGER NOT NULL, kind TEXT NOT NULL, created_at INTEGER NOT NULL,
  stamp TEXT NOT NULL DEFAULT '', sha256 TEXT, round INTEGER NOT NULL DEFAULT 0,
  UNIQUE(job_id, experiment_id, output_id));
CREATE INDEX outputs_by_name ON outputs(experiment_id, output_id, n);
CREATE INDEX outputs_by_experiment ON outputs(experiment_id, n);
CREATE INDEX outputs_by_job ON outputs(job_id, n);
CREATE INDEX outputs_unhashed ON outputs(n) WHERE sha256 IS NULL;
)";

void must(sqlite3* db, int result) {
  if (result != SQLITE_OK && result != SQLITE_DONE)
    throw std::runtime_error(sqlite3_errmsg(db));
}

void store(const char* file, const std::vector<found>& all) {
  sqlite3* db = nullptr;
  must(db, sqlite3_open(file, &db));
  must(db, sqlite3_exec(db, table, nullptr, nullptr, nullptr));
  must(db, sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr));
  sqlite3_stmt* put = nullptr;
  must(db, sqlite3_prepare_v2(db,
                              "INSERT INTO outputs(job_id, experiment_id, output_id, path, bytes, "
                              "kind, created_at, stamp) VALUES(1, 'job-1', ?, ?, ?, 'file', 1, ?)",
                              -1, &put, nullptr));
  for (const auto& f : all) {
    sqlite3_bind_text(put, 1, f.path.data(), static_cast<int>(f.path.size()), SQLITE_STATIC);
    sqlite3_bind_text(put, 2, f.path.data(), static_cast<int>(f.path.size()), SQLITE_STATIC);
    sqlite3_bind_int64(put, 3, f.bytes);
    sqlite3_bind_text(put, 4, f.stamp.data(), static_cast<int>(f.stamp.size()), SQLITE_STATIC);
    must(db, sqlite3_step(put));
    must(db, sqlite3_reset(put));
  }
  sqlite3_finalize(put);
  must(db, sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr));
  sqlite3_close(db);
}

} // namespace

int main(int argc, char** argv) try {
  if (argc != 3)
    throw std::runtime_error("usage: bench-index-walk FOLDER DATABASE");
  using clock = std::chrono::steady_clock;
  const auto start = clock::now();
  std::vector<found> all;
  walk(::open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC), "", all);
  const std::chrono::duration<double> walked = clock::now() - start;
  store(argv[2], all);
  const std::chrono::duration<double> took = clock::now() - start;
  std::printf("{\"files\":%zu,\"walk\":%.6f,\"seconds\":%.6f}\n", all.size(), walked.count(),
              took.count());
} catch (const std::exception& e) {
  std::fprintf(stderr, "bench-index-walk: %s\n", e.what());
  return 1;
}
