// The tasks of a job array as a client writes them: "0-9", "1,3,5-7", "0-10:2", each with "%4"
// behind it for at most four at once; the form of sbatch --array. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::slurm {

struct array_spec {
  std::vector<std::int64_t> indices; // ascending
  std::int64_t at_once = 0;          // 0: as many as Slurm likes
};

/// Throws failure{invalid} that names the field `array`: another form, an index twice, more than
/// `most` tasks, an index above 999,999,999.
array_spec parse_array(std::string_view text, std::size_t most);

/// The variables of one task, "NAME=value": JR_ARRAY_INDEX, and Slurm's own SLURM_ARRAY_TASK_ID,
/// _COUNT, _MIN and _MAX.
std::vector<std::string> task_environment(const array_spec&, std::int64_t index);

} // namespace jobrunner::slurm
