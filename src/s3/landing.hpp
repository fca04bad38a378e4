// The files of an import on their way to disk: each byte written once and hashed, and after a
// restart gone on with. Blocks.
//
//   <folder>/data/      the files under their paths
//   <folder>/journal    what of them is whole and durable
#pragma once

#include "core/digest.hpp"
#include "core/sha256.hpp"
#include "core/unique_fd.hpp"
#include "s3/answers.hpp"
#include "s3/fetch.hpp"
#include "s3/journal.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace jobrunner::s3 {

struct landed {
  std::string path; // below data/
  std::uint64_t size = 0;
  std::string sha256;
};

class landing {
public:
  struct rules {
    std::uint64_t min_free_bytes = 0;
    /// Asked when an ETag looks like an MD5 and is not that of the bytes: encryption may be why.
    std::function<bool(const object&)> encrypted;
  };

  /// `paths` has one for each of the objects, safe and no two the same. What is there of the very
  /// same objects is kept, anything else removed. Throws failure, as everything here does:
  /// disk_full, unprocessable (a file where a folder must be, or bytes that are not those of the
  /// object's ETag), internal.
  landing(std::filesystem::path folder, std::span<const object> objects,
          std::vector<std::string> paths, rules);

  std::size_t first() const noexcept { return files_.size(); } // object to go on with
  std::uint64_t offset() const noexcept { return have_; }      // byte of it
  std::uint64_t bytes() const;                                 // all that is there

  /// Takes the pieces in order from there on.
  void write(const piece&, std::span<const char> bytes);

  /// After the last piece: all is durable.
  const std::vector<landed>& finish();

private:
  void resume();
  void open_file(bool anew);
  void hash(std::span<const char>);
  void read_back();
  void close_file();
  void checkpoint();
  void check_disk();
  std::filesystem::path folder_;
  std::span<const object> objects_;
  std::vector<std::string> paths_;
  rules rules_;
  journal journal_;
  std::vector<landed> files_; // whole
  unique_fd file_;            // the next one
  std::uint64_t have_ = 0, durable_ = 0, checked_ = 0;
  std::optional<sha256> sha256_;
  std::optional<md5> md5_;
};

/// The text whose SHA-256 is that of a dataset of several files: a line
/// `<sha256> <size> <path>\n` for each, in the order of the paths' bytes.
std::string manifest_of(std::span<const landed>);

} // namespace jobrunner::s3
