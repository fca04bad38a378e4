#include "slurm/run_lock.hpp"

#include "core/beneath.hpp"
#include "core/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <sys/stat.h>

namespace jobrunner::slurm {

namespace {

// Above those that shells and programs move about by number.
constexpr int lowest_descriptor = 100;

struct flock whole_file() {
  struct flock about {};
  about.l_type = F_WRLCK;
  about.l_whence = SEEK_SET;
  return about; // l_pid must be 0
}

} // namespace

unique_fd try_lock(const std::filesystem::path& job_dir) {
  const auto path = job_dir / "run/lock";
  const unique_fd file{
      ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640)};
  unique_fd kept{file ? ::fcntl(file.get(), F_DUPFD, lowest_descriptor) : -1}; // not O_CLOEXEC
  if (!kept)
    throw errno_failure("opening " + path.string());
  static_cast<void>(::fchmod(kept.get(), 0644)); // the server asks who holds it, whatever the umask
  auto wanted = whole_file();
  if (::fcntl(kept.get(), F_OFD_SETLK, &wanted) == 0)
    return kept;
  if (errno != EAGAIN && errno != EACCES)
    throw errno_failure("locking " + path.string());
  return {};
}

bool is_locked(const std::filesystem::path& job_dir) {
  try {
    const auto file = open_beneath(job_dir, "run/lock");
    auto about = whole_file();
    return ::fcntl(file.get(), F_OFD_GETLK, &about) == 0 && about.l_type != F_UNLCK;
  } catch (const failure&) {
    return false;
  }
}

} // namespace jobrunner::slurm
