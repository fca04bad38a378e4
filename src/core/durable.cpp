#include "core/durable.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace jobrunner {

void end_after_lost_write(const std::string& what, const std::string& why) {
  log("durable", "write_lost", {{"what", what}, {"why", why}});
  std::_Exit(EXIT_FAILURE);
}

void sync(int fd, const std::string& what) {
  int done = fsync(fd);
  while (done != 0 && errno == EINTR)
    done = fsync(fd);
  if (done == 0)
    return;
  const auto failed = errno_failure("sync " + what);
  if (failed.code() == errc::disk_full)
    throw failed;
  end_after_lost_write(what, failed.what());
}

void sync_folder(const std::filesystem::path& folder) {
  const unique_fd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd)
    throw errno_failure("open the folder " + folder.string());
  sync(fd.get(), "the folder " + folder.string());
}

} // namespace jobrunner
