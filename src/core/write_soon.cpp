#include "core/write_soon.hpp"

#include <fcntl.h>

namespace jobrunner {

void write_soon(int fd, std::uint64_t first, std::uint64_t size) noexcept {
  sync_file_range(fd, static_cast<off64_t>(first), static_cast<off64_t>(size),
                  SYNC_FILE_RANGE_WRITE);
}

} // namespace jobrunner
