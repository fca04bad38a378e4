#include "actors/job_files.hpp"

#include "core/error.hpp"

#include <limits>

namespace jobrunner {

std::vector<found_file> job_files(const job& j, std::size_t most) {
  auto all = look_through(j.result_dir, {most, std::numeric_limits<std::size_t>::max()});
  if (!all.cut.empty())
    throw failure(errc::too_large, "job " + std::to_string(j.id) + " has left too much: " +
                                       all.cut + " (JR_MAX_EXTRACTED_FILES)");
  return std::move(all.files);
}

} // namespace jobrunner
