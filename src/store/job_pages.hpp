// Lists of jobs, a page at a time, newest first. A page costs the same however long the table is:
// it starts at its cursor in an index, and looks at so many rows and no more.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <string>
#include <utility>
#include <vector>

namespace jobrunner::store {

/// Which jobs to list; an empty field does not filter.
struct job_filter {
  std::string status{}, command_key{}, dataset_sha{}, experiment_id{}, name{}, array{};
  std::string label_key{}, label_value{};    // both or neither
  std::optional<timestamp> since{}, until{}; // created at or after, and before
};

/// Where a page ended: the job that was looked at last.
struct job_cursor {
  std::int64_t created_at = 0, n = 0;
};

struct job_page {
  std::vector<job> items;
  std::optional<job_cursor> next; // nothing: the end. There may be a next page after an empty one
};

struct task_page {
  std::vector<job> tasks;                                   // by index
  std::vector<std::pair<std::string, std::int64_t>> states; // of all tasks, and how many in each
  bool done = true;                                         // all of them
};

class job_pages {
public:
  explicit job_pages(sqlite::database& db);

  job_page list(const job_filter&, std::optional<job_cursor> from, std::int64_t limit);

  /// The tasks of an array behind index `after`, each as the newest job that runs it. Without any
  /// state there is no such array.
  task_page array(std::string_view uuid, std::int64_t after, std::int64_t limit);

private:
  sqlite::statement all_, by_state_, by_command_, by_dataset_, by_experiment_, by_name_, by_array_,
      by_label_, tasks_, states_;
};

} // namespace jobrunner::store
