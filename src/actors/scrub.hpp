// One look at whether a dataset's files are still what they were: every byte is read and hashed
// again, in steps. A dataset without a list of its files gets one.
#pragma once

#include "core/file_list.hpp"
#include "core/sha256.hpp"
#include "core/types.hpp"
#include "core/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace jobrunner {

class scrub {
public:
  /// `root` is the server's. Throws failure if it cannot begin.
  scrub(const std::filesystem::path& root, const dataset& d);

  /// Hashes about so many more bytes. False when all is read. Throws failure{internal} for what
  /// says nothing about the files (no descriptors, no memory).
  bool step(std::uint64_t bytes);

  /// What is wrong, in words; empty: nothing so far.
  const std::string& damage() const noexcept { return damage_; }

private:
  bool next_file();
  void end_file();
  void found(const std::string& what);
  void finish();

  std::filesystem::path folder_, list_;
  std::optional<file_list> expected_;
  std::vector<listed_file> unlisted_; // to be listed, last first
  std::string lines_;                 // the list that is made
  listed_file now_;
  unique_fd file_;
  std::optional<sha256> hash_;
  std::uint64_t read_ = 0; // of now_
  std::uint64_t files_ = 0;
  std::uint64_t wrong_ = 0;
  std::string damage_;
  std::vector<char> buffer_;
};

} // namespace jobrunner
