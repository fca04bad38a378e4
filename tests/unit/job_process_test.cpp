#include "slurm/job_environment.hpp"
#include "slurm/job_process.hpp"
#include "slurm/job_results.hpp"
#include "slurm/process_tree.hpp"
#include "temp_folder.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

namespace jobrunner::slurm {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> plain{"PATH=/usr/bin:/bin"};

ending shell(const std::string& script) {
  return run_command({"sh", "-c", script}, plain, "/");
}

TEST(run_command, exit_code_and_signal_are_told_as_shells_tell_them) {
  EXPECT_EQ(shell("exit 0").exit_code, 0);
  EXPECT_EQ(shell("exit 3").exit_code, 3);
  const auto killed = shell("kill -9 $$");
  EXPECT_EQ(killed.exit_code, 137);
  EXPECT_EQ(killed.signal, 9);
}

TEST(run_command, what_cannot_be_started_is_said_and_ends_with_127) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_command({"no-such-program"}, plain, "/").exit_code, 127);
  EXPECT_EQ(run_command({"true"}, plain, "/no/such/folder").exit_code, 127);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "jobrunner-job: cannot start \"no-such-program\": No such file or directory\n"
            "jobrunner-job: cannot enter the dataset's folder \"/no/such/folder\": "
            "No such file or directory\n");
}

TEST(run_command, the_folder_and_the_environment_are_the_given_ones) {
  ::setenv("JR_AUTH_TOKEN", "secret", 1);
  EXPECT_EQ(
      run_command({"sh", "-c", "test $(pwd) = /tmp && test -z \"$JR_AUTH_TOKEN\""}, plain, "/tmp")
          .exit_code,
      0);
  ::unsetenv("JR_AUTH_TOKEN");
}

TEST(run_command, a_signal_from_elsewhere_reaches_the_command_which_decides) {
  hold_signals(); // before the thread exists, which must not get the signal instead
  std::thread sender{[pid = ::getpid()] {
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
    ::kill(pid, SIGTERM);
  }};
  const auto end = shell("trap 'exit 9' TERM; while :; do sleep 0.05; done");
  sender.join();
  EXPECT_EQ(end.exit_code, 9);
}

/// The wrapper as a process of its own whose parent, as its step daemon is, is this one.
struct wrapper_process : testing::Test {
  temp_folder dir;
  int said[2] = {-1, -1}, go[2] = {-1, -1}; // from the wrapper, and to it
  pid_t pid = 0;

  /// It holds its signals, says so and waits for begin().
  void start(const std::string& script) {
    ASSERT_EQ(::pipe(said), 0);
    ASSERT_EQ(::pipe(go), 0);
    pid = ::fork();
    if (pid == 0) {
      hold_signals();
      char c = 'h';
      static_cast<void>(!::write(said[1], &c, 1));
      static_cast<void>(!::read(go[0], &c, 1));
      const auto end = run_command({"sh", "-c", script}, plain, dir.path());
      ::_exit(end.signal != 0 ? 100 + end.signal : end.exit_code);
    }
    char c = 0;
    ASSERT_EQ(::read(said[0], &c, 1), 1);
  }
  void begin() { ASSERT_EQ(::write(go[1], "g", 1), 1); }
  int result() {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
  }
  /// The command's process id, once it has written it down.
  pid_t command() {
    pid_t found = 0;
    for (int i = 0; i < 1000 && found == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
      std::ifstream{dir / "pid"} >> found;
    }
    return found;
  }
  ~wrapper_process() override {
    for (const int end : {said[0], said[1], go[0], go[1]})
      ::close(end);
  }
};

TEST_F(wrapper_process, a_cancel_that_comes_before_the_command_starts_is_not_lost) {
  start("sleep 5");
  ::kill(pid, SIGTERM);
  begin();
  EXPECT_EQ(result(), 100 + SIGTERM);
}

TEST_F(wrapper_process, one_that_went_to_a_list_of_processes_from_before_the_fork_is_not_lost) {
  start("echo $$ > pid; exec sleep 5");
  begin();
  ASSERT_GT(command(), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds{100});
  ::kill(pid, SIGTERM); // to the wrapper alone
  EXPECT_EQ(result(), 100 + SIGTERM);
}

TEST_F(wrapper_process, a_command_that_catches_what_its_parent_sends_to_all_hears_of_it_once) {
  start("trap 'n=$((n + 1))' TERM; echo $$ > pid; for i in 1 2 3 4 5 6; do sleep 0.1; done; exit "
        "$n");
  begin();
  const auto child = command();
  ASSERT_GT(child, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds{100});
  for (const auto one : {child, pid})
    ::kill(one, SIGTERM);
  EXPECT_EQ(result(), 1);
}

TEST(tracked_by_cgroup, where_slurm_has_made_a_group_for_the_job) {
  const std::string box = "/box/slurm_jr-8313b2/uid_61652/job_1";
  EXPECT_TRUE(tracked_by_cgroup("6:freezer:" + box + "/step_batch\n0::/box\n",
                                "6:freezer:" + box + "\n0::/box\n"));
  EXPECT_TRUE(tracked_by_cgroup("0::/system.slice/job_5/step_batch/user/task_0\n",
                                "0::/system.slice/job_5/step_batch/slurm\n"));
  // It constrains the memory, but tracks the job in another way.
  EXPECT_FALSE(tracked_by_cgroup("6:freezer:/box\n4:memory:" + box + "/step_batch/task_0\n0::/\n",
                                 "6:freezer:/box\n4:memory:" + box + "/step_batch\n0::/\n"));
  // All of this is inside a job of another Slurm.
  EXPECT_FALSE(
      tracked_by_cgroup("0::/job_5/step_0/user/task_0\n", "0::/job_5/step_0/user/task_0\n"));
  EXPECT_FALSE(tracked_by_cgroup("0::/\n", ""));
  EXPECT_FALSE(tracked_by_cgroup("", ""));
}

TEST(descendants_of, are_all_below_and_end_with_them) {
  const auto pid = ::fork();
  if (pid == 0) {
    run_command({"sh", "-c", "sh -c 'sleep 60 & sleep 60; true' & sleep 60; true"}, plain, "/");
    ::_exit(0);
  }
  std::vector<pid_t> all;
  for (int i = 0; i < 500 && all.size() < 5; ++i) { // two shells, three that sleep
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    all = descendants_of(pid);
  }
  EXPECT_EQ(all.size(), 5U);
  EXPECT_LT(children_of(pid).size(), all.size());
  for (const auto one : all)
    ::kill(one, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  EXPECT_TRUE(descendants_of(pid).empty());
}

TEST(end_leftovers, finds_what_detached_itself) {
  std::string pattern = fs::temp_directory_path() / "leftXXXXXX";
  const fs::path dir = ::mkdtemp(pattern.data());
  const auto file = dir / "pid";
  EXPECT_EQ(shell("setsid sh -c '(echo $$ > " + file.string() +
                  "; exec env -i sleep 60) &' </dev/null >/dev/null 2>&1")
                .exit_code,
            0);
  pid_t pid = 0;
  for (int i = 0; i < 200 && pid == 0; ++i) {
    std::ifstream{file} >> pid;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  EXPECT_GE(end_leftovers(), 1);
  EXPECT_EQ(end_leftovers(), 0);
  fs::remove_all(dir);
}

TEST(job_environment, only_what_is_on_the_list_passes) {
  const std::array<const char*, 8> from_slurm{"SLURM_JOB_ID=7",
                                              "SLURM_CONF=/c",
                                              "CUDA_VISIBLE_DEVICES=0",
                                              "JR_AUTH_TOKEN=secret",
                                              "LD_PRELOAD=/evil.so",
                                              "TMPDIR=/tmp",
                                              "HOME=/root",
                                              nullptr};
  const spec s{"u", {"x"}, "/data", "/results", R"({"a": "b=c"})", "/usr/bin"};
  const auto all = job_environment(s, "/job/run/home", "runner", from_slurm.data());
  EXPECT_EQ(all, (std::vector<std::string>{"PATH=/usr/bin", "HOME=/job/run/home", "USER=runner",
                                           "LOGNAME=runner", "LANG=C.UTF-8", "DATASET_DIR=/data",
                                           "RESULT_DIR=/results", R"(JR_PARAMS={"a": "b=c"})",
                                           "PYTHONUNBUFFERED=1", "SLURM_JOB_ID=7", "SLURM_CONF=/c",
                                           "CUDA_VISIBLE_DEVICES=0", "TMPDIR=/tmp"}));
}

TEST(set_aside, the_next_attempt_begins_with_an_empty_folder_and_nothing_is_lost) {
  std::string pattern = fs::temp_directory_path() / "asideXXXXXX";
  const fs::path top = ::mkdtemp(pattern.data());
  fs::create_directories(top / "closed/below");
  std::ofstream{top / "closed/below/a.pt"} << "a";
  std::ofstream{top / "result.json"} << "1";
  fs::permissions(top / "closed", fs::perms{0500});
  EXPECT_TRUE(set_aside(top, 1));
  EXPECT_TRUE(fs::exists(top / "attempt-1/closed/below/a.pt"));
  EXPECT_TRUE(fs::exists(top / "attempt-1/result.json"));
  std::ofstream{top / "result.json"} << "2";
  EXPECT_TRUE(set_aside(top, 2));
  EXPECT_TRUE(fs::exists(top / "attempt-1/result.json")); // not moved once more
  EXPECT_TRUE(fs::exists(top / "attempt-2/result.json"));
  EXPECT_FALSE(fs::exists(top / "result.json"));
  fs::remove_all(top);
}

TEST(set_aside, what_a_job_named_so_itself_is_not_taken_for_it) {
  EXPECT_TRUE(is_set_aside("attempt-1/a", 2));
  for (const auto* own : {"attempt-2/a", "attempt-0/a", "attempt--1/a", "attempt-1", "attempt-/a",
                          "attempt-1x/a", "x/attempt-1/a", "attempt-99999999999999999999/a"})
    EXPECT_FALSE(is_set_aside(own, 2)) << own;
  EXPECT_FALSE(is_set_aside("attempt-1/a", 1));
}

TEST(run_command, a_command_does_not_outlive_its_wrapper) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const auto wrapper = ::fork();
  if (wrapper == 0) {
    ::close(ends[0]);
    run_command({"sleep", "60"}, plain, "/");
    ::_exit(0);
  }
  ::close(ends[1]);
  std::this_thread::sleep_for(std::chrono::milliseconds{200});
  ::kill(wrapper, SIGKILL);
  ::waitpid(wrapper, nullptr, 0);
  char c = 0;
  EXPECT_EQ(::read(ends[0], &c, 1), 0); // the command held the other end
  ::close(ends[0]);
}

TEST(share_with_group, opens_what_the_job_closed_and_follows_no_link) {
  std::string pattern = fs::temp_directory_path() / "shareXXXXXX";
  const fs::path top = ::mkdtemp(pattern.data());
  const auto mode = [&](const char* name) {
    return static_cast<unsigned>(fs::symlink_status(top / name).permissions());
  };
  fs::create_directories(top / "results/closed");
  fs::create_directory(top / "outside");
  std::ofstream{top / "results/closed/file"} << "x";
  std::ofstream{top / "outside/file"} << "x";
  fs::create_symlink("../outside", top / "results/folder_link");
  fs::create_symlink("../outside/file", top / "results/file_link");
  ASSERT_EQ(::chmod((top / "outside/file").c_str(), 0600), 0);
  ASSERT_EQ(::chmod((top / "outside").c_str(), 0700), 0);
  ASSERT_EQ(::chmod((top / "results/closed/file").c_str(), 0), 0);
  ASSERT_EQ(::chmod((top / "results/closed").c_str(), 0), 0);
  ASSERT_EQ(::chmod((top / "results").c_str(), 0700), 0);
  share_with_group(top / "results");
  EXPECT_EQ(mode("results"), 0750U);
  EXPECT_EQ(mode("results/closed"), 0750U);
  EXPECT_EQ(mode("results/closed/file"), 0440U);
  EXPECT_EQ(mode("outside"), 0700U);
  EXPECT_EQ(mode("outside/file"), 0600U);
  fs::remove_all(top);
}

} // namespace

} // namespace jobrunner::slurm
