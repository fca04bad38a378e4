// The files below a RESULT_DIR, whatever a hostile or unlucky job left there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace jobrunner {

struct found_file {
  std::string path; // below the folder
  std::int64_t bytes = 0;
};

/// All regular files below `folder`, sorted by path. Links are not followed and not listed, nor
/// are devices, FIFOs, sockets, names that are not UTF-8, and what is deeper than 64 folders.
/// Reads at most `limit` entries. Throws failure: not_found if there is no such folder, internal if
/// it cannot be read now (descriptors, memory).
std::vector<found_file> walk(const std::filesystem::path& folder, std::size_t limit);

} // namespace jobrunner
