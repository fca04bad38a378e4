// Rows of the table jobs.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobrunner::store {

/// The request that made a job, where it had an idempotency key.
struct job_key {
  std::string key, fingerprint;
};

class jobs {
public:
  explicit jobs(sqlite::database& db);

  /// A job before Slurm knows it: uuid and all that is needed to run it, no id. All or nothing,
  /// in a transaction of the caller's or without one.
  void insert_intent(const job&, const std::optional<job_key>& = {});
  /// Writes everything that can change, by uuid.
  void update(const job&);
  /// An intent that never became a job.
  void remove(std::string_view uuid);

  std::optional<job> find(std::int64_t id);
  std::optional<job> find_uuid(std::string_view uuid);
  /// The job (an intent has id 0) that has the key, and the fingerprint of its request.
  std::optional<std::pair<job, std::string>> find_key(std::string_view key);
  std::int64_t largest_id();    // that was ever given, also to a job that is deleted
  std::vector<job> open();      // not final, intents among them (id 0), oldest first
  std::vector<job> unindexed(); // final, their outputs not yet read
  std::vector<job> newest(std::int64_t limit);
  /// An array's tasks by index, each as the newest job that runs it; intents among them (id 0).
  std::vector<job> tasks(std::string_view array_uuid);
  /// ... and each as the job that ran it first.
  std::vector<job> first_tasks(std::string_view array_uuid);

private:
  std::vector<job> read(sqlite::statement& query);
  sqlite::database& db_;
  sqlite::statement insert_, update_, label_, unlabel_, remove_, find_, find_uuid_, find_key_,
      largest_, open_, unindexed_, newest_, tasks_, first_tasks_;
};

} // namespace jobrunner::store
