#include "core/memory_file.hpp"

#include "core/error.hpp"

#include <cerrno>
#include <sys/mman.h>

namespace jobrunner {

namespace {

// A kernel may refuse memory files that could be executed (vm.memfd_noexec); older ones do not
// know the flag that promises it. Debian 12's headers do not have it yet.
constexpr unsigned noexec_seal = 0x0008U;

int make() {
  const int fd = memfd_create("jobrunner", MFD_CLOEXEC | noexec_seal);
  return fd < 0 && errno == EINVAL ? memfd_create("jobrunner", MFD_CLOEXEC) : fd;
}

} // namespace

unique_fd memory_file(std::string_view text) {
  unique_fd file{make()};
  if (!file)
    throw errno_failure("memfd_create");
  for (std::size_t at = 0; at < text.size();) {
    const auto sent = ::write(file.get(), text.data() + at, text.size() - at);
    if (sent < 0 && errno != EINTR)
      throw errno_failure("writing a file in memory");
    at += sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0)
    throw errno_failure("lseek");
  return file;
}

} // namespace jobrunner
