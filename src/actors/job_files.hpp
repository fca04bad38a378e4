// All that a job left, for what takes it elsewhere.
#pragma once

#include "core/file_walk.hpp"
#include "core/types.hpp"

#include <vector>

namespace jobrunner {

/// Every regular file of its RESULT_DIR, sorted by path. Throws failure{too_large} if there are
/// more than `most` (JR_MAX_EXTRACTED_FILES): a part of them would look complete. Blocks.
std::vector<found_file> job_files(const job&, std::size_t most);

} // namespace jobrunner
