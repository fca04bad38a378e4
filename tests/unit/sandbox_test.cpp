// What the extractor may still do once it is confined.
#include "archive/sandbox.hpp"
#include "extract_stage.hpp"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace jobrunner::archive {
namespace {

using sandbox_test = extract_stage;

// Runs `f` in a process of its own, for what cannot be undone. Returns its exit status.
template <class F>
int apart(F f) {
  const auto pid = fork();
  if (pid == 0)
    _exit(f());
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

TEST_F(sandbox_test, landlock_lets_files_be_made_below_the_folder_and_nothing_else) {
  constexpr int no_landlock = 77;
  const auto status = apart([&] {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!allow_only(out_.get(), task::extract))
      return no_landlock;
    const int inside = openat(out_.get(), "made", O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (inside < 0 || ::write(inside, "x", 1) != 1 || ftruncate(inside, 5) != 0)
      return 1;
    if (mkdirat(out_.get(), "d", 0755) != 0)
      return 2;
    if (::open((home_ / "outside").c_str(), O_WRONLY | O_CREAT, 0644) >= 0)
      return 3;
    if (::open("/etc/passwd", O_RDONLY) >= 0)
      return 4;
    if (openat(out_.get(), "made", O_RDONLY) >= 0)
      return 5; // it has no need to read what it wrote
    if (unlinkat(out_.get(), "made", 0) == 0 || symlinkat("x", out_.get(), "l") == 0)
      return 6;
    execl("/bin/false", "false", nullptr); // where it starts, its status is not 0
    return 0;
  });
  if (status == no_landlock)
    GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(status, 0);
}

TEST_F(sandbox_test, seccomp_leaves_no_modes_that_give_rights_no_signals_and_no_sockets) {
  constexpr int no_seccomp = 77;
  ASSERT_EQ(mkdirat(out_.get(), "d", 0755), 0);
  const auto refused = [](long result) { return result == -1 && errno == EPERM; };
  const auto status = apart([&] {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!forbid_calls())
      return no_seccomp;
    const int fd = openat(out_.get(), "made", O_WRONLY | O_CREAT | O_EXCL, 0555);
    if (fd < 0 || ::write(fd, "x", 1) != 1 || fchmod(fd, 0444) != 0)
      return 1; // what it has to do
    if (!refused(fchmod(fd, 04755)) || !refused(fchmod(fd, 02755)) ||
        !refused(openat(out_.get(), "suid", O_WRONLY | O_CREAT, 04755)) ||
        !refused(mkdirat(out_.get(), "sgid", 02755)))
      return 2;
    if (!refused(fchmodat(out_.get(), "d", 0777, 0)) ||
        !refused(chmod((home_ / "out").c_str(), 0777)))
      return 3;
    if (!refused(::kill(getppid(), 0)) || !refused(syscall(SYS_tgkill, getppid(), getppid(), 0)) ||
        !refused(setpgid(0, getppid())))
      return 4;
    if (!refused(::socket(AF_INET, SOCK_DGRAM, 0)) || !refused(::socket(AF_UNIX, SOCK_STREAM, 0)))
      return 5;
    return syscall(SYS_tgkill, getpid(), getpid(), 0) == 0 ? 0 : 6; // abort() needs it
  });
  if (status == no_seccomp)
    GTEST_SKIP() << "this kernel has no seccomp";
  EXPECT_EQ(status, 0);
}

} // namespace
} // namespace jobrunner::archive
