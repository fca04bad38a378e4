// The files of a dataset and their hashes, kept beside it: a text of lines "<sha256> <bytes>
// <path>", which a path cannot break since it has no control characters.
#pragma once

#include "core/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace jobrunner {

struct listed_file {
  std::string path; // below the dataset's folder
  std::uint64_t bytes = 0;
  std::string sha256;
};

/// With its newline.
std::string to_line(const listed_file&);

/// Reads such a list from its beginning, or from where another reader stopped.
class file_list {
public:
  /// Throws failure{not_found} if there is none.
  explicit file_list(const std::filesystem::path& file);

  /// Where the next line begins; a place to go on from.
  std::uint64_t at() const noexcept { return at_; }

  /// Throws failure{invalid} unless a line begins there, or the list ends.
  void go_on(std::uint64_t at);

  /// The next file, or none. Throws failure{internal} for a line that is none of ours.
  std::optional<listed_file> next();

private:
  unique_fd file_;
  std::string ahead_; // read, not yet returned
  std::uint64_t at_ = 0;
};

} // namespace jobrunner
