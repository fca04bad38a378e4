#include "core/file_stamp.hpp"

#include "core/error.hpp"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <sys/stat.h>

namespace jobrunner {

namespace {

std::int64_t nanoseconds(const timespec& t) {
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

} // namespace

file_stamp stamp_of(const struct stat& about) {
  return {about.st_ino, static_cast<std::uint64_t>(about.st_size), nanoseconds(about.st_mtim),
          nanoseconds(about.st_ctim)};
}

file_stamp stamp_of(int file) {
  struct stat about {};
  if (fstat(file, &about) != 0)
    throw errno_failure("look at a file");
  return stamp_of(about);
}

std::string to_text(const file_stamp& s) {
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64, s.inode,
                s.size, static_cast<std::uint64_t>(s.changed),
                static_cast<std::uint64_t>(s.touched));
  return text.data();
}

} // namespace jobrunner
