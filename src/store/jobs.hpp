// Rows of the table jobs.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <vector>

namespace jobrunner::store {

class jobs {
public:
  explicit jobs(sqlite::database& db);

  /// A job before Slurm knows it: uuid and all that is needed to run it, no id.
  void insert_intent(const job&);
  /// Writes everything that can change, by uuid.
  void update(const job&);
  /// An intent that never became a job.
  void remove(std::string_view uuid);

  std::optional<job> find(std::int64_t id);
  std::int64_t largest_id();
  std::vector<job> open();      // not final, intents among them (id 0), oldest first
  std::vector<job> unindexed(); // final, their outputs not yet read
  std::vector<job> newest(std::int64_t limit);

private:
  std::vector<job> read(sqlite::statement& query);
  sqlite::statement insert_, update_, remove_, find_, largest_, open_, unindexed_, newest_;
};

} // namespace jobrunner::store
