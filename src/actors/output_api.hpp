// Outputs of jobs, as their actors' callers see them.
#pragma once

#include "actors/atoms.hpp"
#include "core/problem_list.hpp"
#include "core/types.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jobrunner {

/// POST /outputs/index/{job_id}
struct index_result {
  std::string experiment_id;
  std::int64_t count = 0;
};

/// Hashes outputs in the background.
using hasher_actor = caf::typed_actor<
    // From the indexer: there are more.
    caf::reacts_to<atom::hint>,
    // INTERNAL: the next step.
    caf::reacts_to<atom::tick>>;

using indexer_actor = caf::typed_actor<
    // Reads RESULT_DIR and replaces the job's outputs, at once for all readers.
    caf::replies_to<atom::index, job>::with<index_result>>;

/// Which outputs to list; an empty field does not filter.
struct output_query {
  std::optional<std::int64_t> job_id;
  std::string experiment_id, prefix; // prefix of the path
  std::int64_t cursor = 0;           // next_cursor of the page before
  std::int64_t limit = 100;
};

struct output_list {
  std::vector<output> items;    // newest first
  std::int64_t next_cursor = 0; // 0: the end
  problem_list problems;        // of one job: what its RESULT_DIR had that is no output
};

using output_actor =
    caf::typed_actor<caf::replies_to<atom::list, output_query>::with<output_list>,
                     // The newest output of that experiment id and output id. not_found.
                     caf::replies_to<atom::find, std::string, std::string>::with<output>>;

using adopter_actor = caf::typed_actor<
    // The files of a job that is done whose paths begin so, as a dataset.
    // not_found, unprocessable, disk_full, too_many.
    caf::replies_to<atom::import, job, std::string>::with<dataset>>;

} // namespace jobrunner

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::index_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::output)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::output_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::output_query)
