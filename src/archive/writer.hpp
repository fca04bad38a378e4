// Files and folders made below one folder, by descriptors: no path is ever resolved by the kernel
// over more than one component, no link is followed, nothing that exists is opened for writing.
#pragma once

#include "archive/budget.hpp"
#include "archive/listing.hpp"
#include "archive/reader.hpp"
#include "core/unique_fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::archive {

class writer {
public:
  /// `top` is an empty folder and stays the caller's, as does `list`, which gets a line for each
  /// file; -1: none.
  writer(int top, int list, const limits& most, budget& spent) noexcept;

  /// All of these throw failure: unprocessable (what is there already does not fit, or a budget
  /// is spent), disk_full (also when less than limits::min_free_bytes would stay), internal.
  void folder(const entry& e);
  void begin_file(const entry& e); // mode 0444, or 0555 for an executable
  void write(const block& b);
  void end_file();

  /// Folders become 0555 and get their times, and everything is on the disk.
  void finish();

  std::uint64_t files() const noexcept { return files_; }

private:
  struct made_folder {
    std::string path;
    std::optional<std::int64_t> mtime;
  };

  int parent(std::string_view path); // the descriptor of that folder, made if it is not there
  unique_fd step(int at, const std::string& name, const std::string& path);
  void begin_writing();
  void check_space(std::uint64_t bytes);

  int top_;
  limits most_;
  budget& spent_;
  listing list_;
  std::uint64_t files_ = 0;
  std::uint64_t unchecked_ = 0; // bytes since the free space was last looked at
  std::vector<made_folder> folders_;

  std::string parent_path_; // the folder of the last entry: most have the same as the one before
  unique_fd parent_;

  unique_fd file_; // the file being written
  std::string file_path_;
  std::uint64_t size_ = 0;   // as announced
  std::uint64_t extent_ = 0; // of its blocks
  std::uint64_t length_ = 0; // of the file on the disk
  std::uint64_t begun_ = 0;  // of it, what the disk has begun to write
  std::optional<std::int64_t> mtime_;
};

} // namespace jobrunner::archive
