// A tar archive that is never written down: where each of its bytes comes from, so that any part of
// it can be sent, now or another day, and is the same.
//
// ustar (POSIX.1-1988), with a pax header (POSIX.1-2001) before a file whose path has more than 100
// bytes or is not ASCII, or that has 8 GiB or more. Regular files alone, sorted by the bytes of
// their paths; no folders: whoever extracts it makes those of the files. Mode 0644, owner 0,
// whole seconds of the file's own time. Two blocks of zeros at the end, no more.
#pragma once

#include "core/file_walk.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace jobrunner::archive {

class tar_plan {
public:
  /// Of files as walk() finds them.
  explicit tar_plan(std::vector<found_file> files);

  /// Of the whole archive, in bytes.
  std::uint64_t size() const noexcept { return members_end_ + trailer; }

  /// A strong entity tag, with its quotes: another one as soon as a path or a stamp is another one.
  const std::string& etag() const noexcept { return etag_; }

  /// When the newest file was changed; the epoch if there is none.
  std::chrono::sys_seconds changed() const noexcept { return changed_; }

  /// What is at `offset`, which is below size().
  struct place {
    enum class kind { head, data, zeros } what = kind::zeros;
    std::size_t member = 0;  // for head and data
    std::uint64_t first = 0; // byte of the head or of the file
    std::uint64_t size = 0;  // until something else begins
    bool operator==(const place&) const = default;
  };
  place at(std::uint64_t offset) const;

  /// What comes before a file's bytes: 512 bytes, or a multiple.
  std::string head(std::size_t member) const;

  const std::vector<found_file>& files() const noexcept { return files_; }
  const found_file& file(std::size_t member) const { return files_.at(member); }

private:
  static constexpr std::uint64_t trailer = 1024;
  std::vector<found_file> files_;
  std::vector<std::uint64_t> starts_; // of the members
  std::uint64_t members_end_ = 0;
  std::string etag_;
  std::chrono::sys_seconds changed_{};
};

} // namespace jobrunner::archive
