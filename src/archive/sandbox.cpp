#include "archive/sandbox.hpp"

#include "core/error.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace jobrunner::archive {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true; // shadow memory is terabytes of address space, and a thread
#else
constexpr bool sanitized = false;
#endif

/// `grace` is between the limit that can be explained and the one that kills.
void limit(__rlimit_resource resource, std::uint64_t most, std::uint64_t grace = 0) {
  rlimit now{};
  if (getrlimit(resource, &now) != 0)
    throw errno_failure("reading a resource limit");
  const auto lowered = std::min<rlim_t>(most, now.rlim_max);
  const rlimit wanted{lowered, std::min<rlim_t>(lowered + grace, now.rlim_max)};
  if (setrlimit(resource, &wanted) != 0)
    throw errno_failure("setting a resource limit");
}

/// All but standard input, output and error and those two.
void close_others(int one, int other) {
  unsigned next = 3;
  const auto up_to = [&next](int kept) {
    const auto end = static_cast<unsigned>(kept);
    if (kept >= 0 && end >= next) {
      if (end > next)
        close_range(next, end - 1, 0);
      next = end + 1;
    }
  };
  up_to(std::min(one, other));
  up_to(std::max(one, other));
  close_range(next, ~0U, 0);
}

} // namespace

void confine(const confinement& most, task what) {
  umask(022);
  close_others(most.folder, most.list);
  std::signal(SIGXFSZ, SIG_IGN); // then writing too much is EFBIG, which can be explained
  std::signal(SIGPIPE, SIG_IGN);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw errno_failure("giving up privileges");
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, std::max<std::uint64_t>(most.max_file, 1U << 16U)); // also of our own answer
  limit(RLIMIT_NOFILE, what == task::remove ? 256 : 64); // remove holds one for each level
  limit(RLIMIT_CPU, most.max_seconds, 5);
  if (!sanitized)
    limit(RLIMIT_AS, 1ULL << 30U); // xz -9 needs 65 MiB, zstd with its largest window 128
  allow_only(most.folder, what);
  if (what == task::extract && !sanitized) // a search for leaks stops all threads by ptrace
    forbid_calls();
}

void no_more_threads() {
  if (!sanitized)
    limit(RLIMIT_NPROC, 0);
}

} // namespace jobrunner::archive
