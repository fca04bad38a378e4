// System calls (seccomp(2), through libseccomp) that Landlock leaves and that no archive needs:
// they matter when libarchive's own code has been taken over.
#include "archive/sandbox.hpp"
#include "core/error.hpp"

#include <seccomp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <sys/stat.h>

namespace jobrunner::archive {
namespace {

/// What nothing but an attack would call. Signals to others, groups in which a kill finds it no
/// more, modes by path (files of other datasets have the same owner), sockets, and ways around this
/// list.
constexpr std::array never{
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(setpgid),
    SCMP_SYS(setsid),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(ptrace),
    SCMP_SYS(chmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(openat2),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(bpf),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(perf_event_open),
    452}; // fchmodat2, which libseccomp 2.5 does not know; the same number everywhere

/// Calls that take a mode, and as which argument.
struct moded {
  int call;
  unsigned argument;
};
constexpr std::array with_mode{moded{SCMP_SYS(open), 2},  moded{SCMP_SYS(openat), 3},
                               moded{SCMP_SYS(creat), 1}, moded{SCMP_SYS(fchmod), 1},
                               moded{SCMP_SYS(mkdir), 1}, moded{SCMP_SYS(mkdirat), 2}};

void deny(scmp_filter_ctx filter, int call, std::initializer_list<scmp_arg_cmp> where = {}) {
  const int rc = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), call,
                                        static_cast<unsigned>(where.size()), where.begin());
  if (rc != 0) {
    errno = -rc;
    throw errno_failure("confining the extractor's calls");
  }
}

} // namespace

bool forbid_calls() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter{seccomp_init(SCMP_ACT_ALLOW),
                                                                seccomp_release};
  if (!filter)
    throw failure{errc::internal, "confining the extractor's calls: out of memory"};
  for (const auto call : never)
    deny(filter.get(), call);
  for (const auto& [call, argument] : with_mode)
    for (const scmp_datum_t bit : {S_ISUID, S_ISGID, S_ISVTX})
      deny(filter.get(), call, {{argument, SCMP_CMP_MASKED_EQ, bit, bit}});
  deny(filter.get(), SCMP_SYS(tgkill), // abort() sends itself a signal
       {{0, SCMP_CMP_NE, static_cast<scmp_datum_t>(getpid()), 0}});
  return seccomp_load(filter.get()) == 0; // a kernel, or a container's own filter, may have none
}

} // namespace jobrunner::archive
