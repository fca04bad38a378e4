// What one archive may cost: bytes and entries made, and how much it may swell.
#pragma once

#include <atomic>
#include <cstdint>

namespace jobrunner::archive {

struct limits {
  std::uint64_t max_bytes = 0;      // sum of the files' sizes, holes included
  std::uint64_t max_files = 0;      // files and folders
  std::uint64_t min_free_bytes = 0; // what must stay free on the file system
  std::uint64_t max_ratio = 250;    // unpacked to packed; text in xz reaches 100, zeros 1,000
  std::uint64_t max_path = 1024;    // bytes of a path; entry_path() allows no more
  std::uint64_t max_seconds = 6ULL * 3600; // of processor time
};

struct totals {
  std::uint64_t files = 0; // regular files
  std::uint64_t bytes = 0; // the sum of their sizes
};

/// Counts; every function throws failure{unprocessable} when a limit is passed. Whoever reads the
/// archive calls consumed() and unpacked(), whoever writes the files all else, on another thread.
class budget {
public:
  explicit budget(const limits& most) noexcept : most_(most) {}

  void entry();                           // one more file or folder
  void path(std::uint64_t length) const;  // of one of them
  void folder_name(std::uint64_t length); // of a name that is remembered until the end
  void expect(std::uint64_t size) const;  // a file of that size is about to come
  void grow(std::uint64_t bytes);         // files grew by that much, holes included

  void consumed(std::uint64_t bytes) noexcept { consumed_ += bytes; } // of the upload
  void unpacked(std::uint64_t bytes); // of a compressed stream, whatever becomes of it

  std::uint64_t bytes() const noexcept { return bytes_; }
  std::uint64_t entries() const noexcept { return entries_; }

private:
  void check_ratio(std::uint64_t swollen) const;

  limits most_;
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t names_ = 0;
  std::atomic<std::uint64_t> consumed_ = 0;
  std::uint64_t unpacked_ = 0;
};

} // namespace jobrunner::archive
