#include "s3/source_file.hpp"

#include "core/beneath.hpp"
#include "core/text.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <utility>

namespace jobrunner::s3 {

source_file::source_file(const std::filesystem::path& folder, std::string path, std::uint64_t size)
    : path_(std::move(path)) {
  try {
    file_ = open_beneath(folder, path_);
  } catch (const failure&) {
    throw changed();
  }
  struct stat about {};
  if (fstat(file_.get(), &about) != 0 || static_cast<std::uint64_t>(about.st_size) != size)
    throw changed();
  version_ = std::to_string(about.st_ino) + "." + std::to_string(about.st_mtim.tv_sec) + "." +
             std::to_string(about.st_mtim.tv_nsec);
}

std::string source_file::read(std::uint64_t offset, std::uint64_t size) const {
  std::string bytes(size, '\0');
  for (std::size_t have = 0; have < size;) {
    const auto n =
        ::pread(file_.get(), bytes.data() + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      throw changed();
    have += static_cast<std::size_t>(n);
  }
  return bytes;
}

failure source_file::changed() const {
  return {errc::unprocessable,
          "the output " + shown(path_) + " changed or went while it was sent; try again"};
}

} // namespace jobrunner::s3
