// The files below a folder, whatever a hostile or unlucky job left there.
#pragma once

#include "core/file_stamp.hpp"
#include "core/problem_list.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner {

struct found_file {
  std::string path; // below the folder
  std::int64_t bytes = 0;
  file_stamp stamp{};
};

/// How far a walk goes. Paths have a limit of their own: names may have 255 bytes in 64 folders,
/// and then a hundred thousand of them are more than a gigabyte.
struct walk_limits {
  std::size_t entries = 0;           // files, folders and all else
  std::size_t path_bytes = 32 << 20; // of all paths together
};

/// Of a RESULT_DIR: more are no outputs. A transaction of so many rows takes some 2 s, while no
/// other actor can write.
constexpr walk_limits most_outputs{100000};

struct walk_result {
  std::vector<found_file> files; // sorted by the bytes of the path
  problem_list problems;         // what is not among them, and why
  std::string cut;               // which limit was reached, in words; empty: that is all there is
};

/// All regular files below `folder`. Links are not followed and not listed, nor are devices, FIFOs,
/// sockets, names that are not UTF-8, paths that no call takes (4096 bytes), and what is deeper
/// than 64 folders: they are problems. Folders that `skip` (if given) is true for, which are given
/// with a slash at the end, are as if they were not there. Throws failure: not_found if there is no
/// such folder, internal if it cannot be read now (descriptors, memory).
walk_result look_through(const std::filesystem::path& folder, walk_limits limits,
                         const std::function<bool(std::string_view path)>& skip = {});

/// Whether look_through() would find these `files`, and nothing cut. It keeps no second list.
bool look_again(const std::vector<found_file>& files, const std::filesystem::path& folder,
                walk_limits limits, const std::function<bool(std::string_view path)>& skip = {});

/// The files alone, of the first `limit` entries.
std::vector<found_file> walk(const std::filesystem::path& folder, std::size_t limit);

} // namespace jobrunner
