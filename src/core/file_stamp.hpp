// Which bytes a file holds, as far as its inode can tell without reading them.
#pragma once

#include <cstdint>
#include <string>

struct stat;

namespace jobrunner {

struct file_stamp {
  std::uint64_t inode = 0, size = 0;
  std::int64_t changed = 0; // st_mtim in nanoseconds, which whoever owns the file can set
  std::int64_t touched = 0; // st_ctim likewise, which nobody can

  bool operator==(const file_stamp&) const = default;

  /// Whether nobody has written to it, though it may have got another name or mode.
  bool same_bytes(const file_stamp& o) const {
    return inode == o.inode && size == o.size && changed == o.changed;
  }
};

file_stamp stamp_of(const struct stat&);

/// Of an open file. Throws failure{internal}.
file_stamp stamp_of(int file);

/// As a row or an entity tag keeps it: hexadecimal, with dashes between.
std::string to_text(const file_stamp&);

} // namespace jobrunner
