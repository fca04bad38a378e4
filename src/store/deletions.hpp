// Jobs that were deleted: their ids, which no other job ever gets, and what of their files is still
// to be removed.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <string>
#include <vector>

namespace jobrunner::store {

struct leftover {
  std::int64_t job_id = 0;
  std::string uuid, result_dir, log_path; // as in the job
};

class deletions {
public:
  explicit deletions(sqlite::database& db);

  /// A job with its events, labels and outputs; its files are leftovers then. In one transaction.
  void remove(const job&);
  bool contains(std::int64_t job_id);

  std::vector<leftover> leftovers();
  void removed(std::int64_t job_id);          // its files
  bool in_use(const std::string& result_dir); // by another job; reads the whole table

private:
  sqlite::database& db_;
  sqlite::statement job_, labels_, events_, webhook_, outputs_, index_, note_, find_, leftovers_,
      removed_, in_use_;
};

} // namespace jobrunner::store
