// What the extractor may still do once it is confined.
#include "archive/sandbox.hpp"
#include "extract_stage.hpp"

#include <sys/prctl.h>
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

} // namespace
} // namespace jobrunner::archive
