// Rows of the table outputs.
#pragma once

#include "core/problem_list.hpp"
#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <optional>
#include <string>
#include <vector>

namespace jobrunner::store {

/// Which outputs to list; an empty field does not filter.
struct output_filter {
  std::optional<std::int64_t> job_id;
  std::string experiment_id;
  std::string prefix; // of the path
};

/// A page of a list, newest first. `next` is the cursor of the next page, 0 at the end.
struct output_page {
  std::vector<output> items;
  std::int64_t next = 0;
};

class outputs {
public:
  explicit outputs(sqlite::database& db);

  /// Makes these the outputs of a job, in one transaction. New ones are listed first, in the order
  /// given; those that were there keep their place, and their hash while the stamp is the same.
  /// Throws failure: not_found if the job is deleted (whoever asked did so before), conflict for
  /// two outputs with the same ids.
  void replace(std::int64_t job_id, const std::vector<output>&, const problem_list& = {});

  /// At most `limit` outputs older than `cursor` (0: from the newest).
  output_page list(const output_filter&, std::int64_t cursor, std::int64_t limit);

  /// The newest output of that experiment and id.
  std::optional<output> find(std::string_view experiment_id, std::string_view output_id);

  /// What was wrong when the job was indexed last.
  problem_list problems(std::int64_t job_id);

  /// Where the job's files lie; empty if there is no such job.
  std::string result_dir(std::int64_t job_id);

private:
  sqlite::database& db_;
  sqlite::statement deleted_, round_, put_, clear_, by_job_, by_experiment_, all_, find_, problems_,
      folder_;
};

} // namespace jobrunner::store
