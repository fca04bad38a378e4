#include "core/launcher_identity.hpp"

#include <fcntl.h>
#include <grp.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace jobrunner::launching {

namespace {

void close_all(unsigned first, unsigned last) {
  if (first > last || ::syscall(SYS_close_range, first, last, 0U) == 0)
    return;
  // Linux before 5.9, or a seccomp filter that does not know the call.
  rlimit most{};
  ::getrlimit(RLIMIT_NOFILE, &most);
  const auto end = static_cast<unsigned>(std::min<rlim_t>({most.rlim_cur, 1U << 20U, last}));
  for (unsigned fd = first; fd <= end; ++fd)
    ::close(static_cast<int>(fd));
}

// clearenv() alone leaves the text in our memory, and in /proc/<pid>/environ.
void forget_environment() {
  for (char** entry = environ; entry && *entry; ++entry)
    explicit_bzero(*entry, ::strlen(*entry));
  ::clearenv();
}

bool is_now(const identity& who) {
  uid_t real = 0, effective = 0, saved = 0;
  return ::getresuid(&real, &effective, &saved) == 0 && real == who.uid && effective == who.uid &&
         saved == who.uid && (who.uid == 0 || ::setuid(0) != 0);
}

} // namespace

int keep_only(int socket) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int kept = ::fcntl(socket, F_DUPFD_CLOEXEC, 3);
  for (int fd = 0; fd < 3; ++fd)
    ::dup2(null, fd);
  close_all(3, static_cast<unsigned>(kept) - 1);
  close_all(static_cast<unsigned>(kept) + 1, std::numeric_limits<unsigned>::max());
  return kept;
}

greeting become(const identity& who) {
  const auto failed = [](const char* doing) {
    greeting g{errno, {}};
    ::strncpy(g.doing.data(), doing, g.doing.size() - 1);
    return g;
  };
  forget_environment();
  ::setsid(); // a signal to the server's process group is not for us
  ::prctl(PR_SET_NAME, "jr-launcher");
  ::umask(022);
  if (::chdir("/") != 0)
    return failed("chdir /");
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0)
    return failed("setrlimit");
  if (::geteuid() == 0) {
    if (::setgroups(who.groups.size(), who.groups.data()) != 0)
      return failed("setgroups");
    if (::setresgid(who.gid, who.gid, who.gid) != 0)
      return failed("setresgid");
    if (::setresuid(who.uid, who.uid, who.uid) != 0)
      return failed("setresuid");
    if (!is_now(who)) {
      errno = EPERM;
      return failed("giving up root");
    }
  }
  if (::prctl(PR_SET_DUMPABLE, 0) != 0)
    return failed("PR_SET_DUMPABLE");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) // munge needs no setuid program
    return failed("PR_SET_NO_NEW_PRIVS");
  return {};
}

} // namespace jobrunner::launching
