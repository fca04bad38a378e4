// One dataset on its way in, from an upload or a file: hashed, written once, extracted while it
// arrives. Every call may block; use it where that is allowed.
//
//   <staging>/data/        what becomes the dataset's folder
//   <staging>/archive      a zip, until it is extracted: its directory is at its end
//   <staging>/files        the list of what was extracted, see core/file_list.hpp
#pragma once

#include "archive/name.hpp"
#include "core/config.hpp"
#include "core/launcher.hpp"
#include "core/sha256.hpp"
#include "core/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace jobrunner::archive {

/// How the extractor is started and what an archive may become.
struct extraction {
  launcher& extractors;
  std::filesystem::path program; // jobrunner-extract
  std::uint64_t max_bytes = 0;   // unpacked
  std::uint64_t max_files = 0;
  std::uint64_t min_free_bytes = 0;  // left on the disk, also while a plain file is written
  std::uint64_t max_ratio = 250;     // unpacked to packed
  std::uint64_t max_path = 1024;     // bytes
  std::uint64_t max_seconds = 21600; // of processor time, and to wait once the last byte is there
};

extraction extraction_of(launcher& extractors, const config& settings);

/// What has arrived: durable, and still in its staging folder.
struct ingested {
  std::string sha256; // of all bytes written
  bool extracted = false;
  std::int64_t bytes = 0; // sum of the files in data/
};

class ingest {
public:
  /// `filename` is safe (see http/text/safe_name.hpp). An archive is extracted if `extract`.
  /// Throws failure{disk_full, internal}.
  ingest(const extraction& how, std::filesystem::path staging, const std::string& filename,
         bool extract);
  ingest(const ingest&) = delete;
  ingest& operator=(const ingest&) = delete;
  ~ingest();

  /// Throws failure: unprocessable (the archive is refused), disk_full, internal.
  void write(std::span<const char> bytes);

  /// After the last write, once. Throws as write() does.
  ingested finish();

private:
  void start_extractor(int input);
  void feed(std::span<const char> bytes);
  std::int64_t await_extractor();
  [[noreturn]] void refused();

  const extraction& how_;
  std::filesystem::path staging_;
  kind kind_;
  sha256 hash_;
  unique_fd file_; // the plain file or the zip
  unique_fd pipe_; // into the extractor, for a tar
  std::optional<child> extractor_;
  std::int64_t written_ = 0, checked_ = 0;
};

/// Removes a staging folder and all that is in it, also what the extractor's user owns.
/// Never throws; what remains is logged and goes at the next start.
void discard(const extraction& how, const std::filesystem::path& staging);

} // namespace jobrunner::archive
