// Rows of the table events: every change of a job that clients hear of, kept so that whoever was
// away misses none.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <vector>

namespace jobrunner::store {

class events {
public:
  explicit events(sqlite::database& db);

  /// In the transaction of the change itself. Gives it its n.
  void insert(job_event&);

  /// The first so many of all jobs after `n`, or of one job after its `seq`, oldest first.
  std::vector<job_event> after(std::int64_t n, std::int64_t limit);
  std::vector<job_event> of_job_after(std::int64_t job_id, std::int64_t seq, std::int64_t limit);

  std::int64_t largest(); // n; 0: there is none yet

private:
  sqlite::statement insert_, after_, of_job_after_, largest_;
};

} // namespace jobrunner::store
