#include "core/error.hpp"
#include "core/launcher.hpp"
#include "core/memory_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

identity myself() {
  return {::getuid(), ::getgid(), {}};
}

launcher make() {
  return launcher::start(myself(), {"PATH=/usr/bin:/bin", "A=b c"});
}

finished run(launcher& with, const std::vector<std::string>& argv, int in = -1) {
  return with.spawn(argv, in).wait(20s);
}

/// Whether process `pid` is there and no zombie.
bool lives(pid_t pid) {
  std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
  const std::string text{std::istreambuf_iterator<char>{stat}, {}};
  return !text.empty() && text.find(") Z ") == std::string::npos;
}

bool dies(pid_t pid) {
  for (int i = 0; i < 200 && lives(pid); ++i)
    std::this_thread::sleep_for(10ms);
  return !lives(pid);
}

TEST(launcher, output_and_exit_code_come_back) {
  auto l = make();
  const auto r = run(l, {"/bin/sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_TRUE(r.started);
  EXPECT_EQ(r.exit_code, 7);
  EXPECT_EQ(r.signal, 0);
  EXPECT_EQ(r.out, "out\n");
  EXPECT_EQ(r.err, "err\n");
  EXPECT_FALSE(r.timed_out || r.cut);
}

TEST(launcher, a_signal_comes_back) {
  auto l = make();
  const auto r = run(l, {"/bin/sh", "-c", "kill -TERM $$"});
  EXPECT_EQ(r.signal, SIGTERM);
  EXPECT_EQ(r.exit_code, -1);
  EXPECT_FALSE(r.timed_out);
}

TEST(launcher, a_program_that_cannot_be_started_is_explained) {
  auto l = make();
  const auto r = run(l, {"/no/such/program"});
  EXPECT_FALSE(r.started);
  EXPECT_EQ(r.err, "cannot start /no/such/program: No such file or directory");
  EXPECT_THROW(l.spawn({"sh"}), failure);
  EXPECT_THROW(l.spawn({}), failure);
  EXPECT_THROW(l.spawn({"/bin/echo", std::string("a\0b", 3)}), failure);
}

TEST(launcher, arguments_arrive_byte_for_byte_and_may_be_many) {
  auto l = make();
  std::vector<std::string> argv{"/usr/bin/printf", "%s|", "", "a b", "$(id)\n", "\xff", "--"};
  EXPECT_EQ(run(l, argv).out, "|a b|$(id)\n|\xff|--|");
  argv.resize(2);
  std::string expected;
  for (int i = 0; i < 30'000; ++i) { // some 200 KB: more than one message of a socket takes
    argv.push_back(std::to_string(100'000 + i));
    expected += argv.back() + "|";
  }
  EXPECT_EQ(run(l, argv).out, expected);
}

TEST(launcher, output_beyond_the_limit_is_cut_and_the_command_goes_on) {
  auto l = make();
  const auto r =
      l.spawn({"/bin/sh", "-c", "head -c 3000000 /dev/zero; echo end >&2"}).wait(20s, 1000);
  EXPECT_EQ(r.out.size(), 1000U);
  EXPECT_EQ(r.err, "end\n");
  EXPECT_TRUE(r.cut);
  EXPECT_EQ(r.exit_code, 0);
}

TEST(launcher, the_whole_group_is_killed_when_time_is_over) {
  auto l = make();
  const auto before = std::chrono::steady_clock::now();
  const auto r = l.spawn({"/bin/sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait"}).wait(300ms);
  EXPECT_TRUE(r.timed_out);
  EXPECT_EQ(r.signal, SIGKILL);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
  ASSERT_FALSE(r.out.empty());
  EXPECT_TRUE(dies(std::stoi(r.out)));
}

TEST(launcher, a_command_that_never_stops_printing_is_killed_in_time) {
  auto l = make();
  const auto r = l.spawn({"/usr/bin/yes"}).wait(300ms, 100);
  EXPECT_TRUE(r.timed_out);
}

TEST(launcher, what_a_command_leaves_in_its_group_ends_with_it) {
  auto l = make();
  const auto r = run(l, {"/bin/sh", "-c", "sleep 60 & echo $!"});
  EXPECT_EQ(r.exit_code, 0);
  ASSERT_FALSE(r.out.empty());
  EXPECT_TRUE(dies(std::stoi(r.out)));
}

TEST(launcher, one_who_detaches_does_not_hold_up_the_answer) {
  auto l = make();
  const auto before = std::chrono::steady_clock::now();
  const auto r = run(l, {"/bin/sh", "-c", "setsid sleep 5 & echo done"});
  EXPECT_EQ(r.out, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
}

TEST(launcher, a_command_nobody_waits_for_is_killed) {
  auto l = make();
  const std::string file = testing::TempDir() + "launcher_pid." + std::to_string(::getpid());
  pid_t pid = 0;
  {
    auto c = l.spawn({"/bin/sh", "-c", "echo $$ > " + file + "; exec sleep 60"});
    for (int i = 0; i < 500 && pid == 0; ++i, std::this_thread::sleep_for(10ms))
      std::ifstream{file} >> pid;
    EXPECT_TRUE(lives(pid));
  }
  EXPECT_TRUE(dies(pid));
  std::filesystem::remove(file);
}

TEST(launcher, two_hundred_commands_at_once_do_not_mix) {
  auto l = make();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      std::vector<child> mine;
      for (int i = 0; i < 25; ++i)
        mine.push_back(l.spawn({"/bin/sh", "-c",
                                "echo " + std::to_string(t * 25 + i) + "; sleep 0.05; exit " +
                                    std::to_string(t * 25 + i)}));
      for (int i = 0; i < 25; ++i) {
        const auto r = mine.at(static_cast<std::size_t>(i)).wait(60s);
        good += r.exit_code == t * 25 + i && r.out == std::to_string(t * 25 + i) + "\n";
      }
    });
  for (auto& t : threads)
    t.join();
  EXPECT_EQ(good, 200);
}

TEST(launcher, standard_input_is_the_given_file_or_empty) {
  auto l = make();
  EXPECT_EQ(run(l, {"/bin/cat"}).out, "");
  const auto file = memory_file("#!/bin/sh\necho \"$1\"\n");
  EXPECT_EQ(run(l, {"/bin/cat"}, file.get()).out, "#!/bin/sh\necho \"$1\"\n");
  EXPECT_EQ(run(l, {"/bin/sh", "/dev/stdin", "x y"}, file.get()).out, "x y\n"); // as sbatch does
}

TEST(launcher, the_environment_is_exactly_as_given) {
  ::setenv("JR_AUTH_TOKEN", "secret", 1);
  auto l = make();
  EXPECT_EQ(run(l, {"/usr/bin/env", "-0"}).out, std::string("PATH=/usr/bin:/bin\0A=b c\0", 25));
  ::unsetenv("JR_AUTH_TOKEN");
}

TEST(launcher, a_command_has_no_descriptors_but_0_1_and_2) {
  const int leaky = ::open("/etc/passwd", O_RDONLY); // not close-on-exec, as a library may do
  auto l = make();
  // ls itself has one more open: the folder it reads.
  EXPECT_EQ(run(l, {"/bin/ls", "/proc/self/fd"}).out, "0\n1\n2\n3\n");
  EXPECT_EQ(run(l, {"/bin/sh", "-c", "ls /proc/$$/fd"}).out, "0\n1\n2\n");
  ::close(leaky);
}

TEST(launcher, a_command_leaves_no_core_and_gains_no_privilege) {
  auto l = make();
  const auto limits = run(l, {"/bin/cat", "/proc/self/limits", "/proc/self/status"}).out;
  EXPECT_NE(limits.find("Max core file size        0                    0"), std::string::npos);
  EXPECT_NE(limits.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(limits.find("SigBlk:\t0000000000000000"), std::string::npos);
}

TEST(launcher, as_root_it_becomes_the_user_for_good_and_shows_that_user_nothing) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "needs root";
  const auto* nobody = ::getpwnam("nobody");
  ASSERT_TRUE(nobody);
  auto l = launcher::start({nobody->pw_uid, nobody->pw_gid, {12345}}, {"PATH=/usr/bin:/bin"});
  const auto uid = std::to_string(nobody->pw_uid), gid = std::to_string(nobody->pw_gid);
  const auto status = run(l, {"/bin/cat", "/proc/self/status"}).out;
  const auto four = [](const std::string& id) { return id + "\t" + id + "\t" + id + "\t" + id; };
  EXPECT_NE(status.find("Uid:\t" + four(uid)), std::string::npos) << status;
  EXPECT_NE(status.find("Gid:\t" + four(gid)), std::string::npos) << status;
  EXPECT_NE(status.find("Groups:\t12345 \n"), std::string::npos) << status;
  EXPECT_NE(status.find("CapPrm:\t0000000000000000"), std::string::npos) << status;
  // The launcher itself is the command's parent and still holds the server's memory.
  const auto peek = run(l, {"/bin/sh", "-c",
                            "cat /proc/$PPID/environ; ls /proc/$PPID/fd; cat /proc/$PPID/mem;"
                            "kill -0 1 && echo killed"});
  EXPECT_EQ(peek.out, "");
  const auto file = memory_file("echo readable\n"); // ours, root's: and yet its /dev/stdin
  EXPECT_EQ(run(l, {"/bin/sh", "/dev/stdin"}, file.get()).out, "readable\n");
}

TEST(launcher, it_forgets_the_environment_it_was_forked_with) {
  const auto environ_of = [](const std::string& pid) {
    std::ifstream file{"/proc/" + pid + "/environ"};
    return std::string{std::istreambuf_iterator<char>{file}, {}};
  };
  ASSERT_NE(environ_of("self").find("PATH="), std::string::npos);
  auto l = make();
  const auto pid = std::stoi(run(l, {"/bin/sh", "-c", "echo $PPID"}).out);
  EXPECT_EQ(environ_of(std::to_string(pid)).find_first_not_of('\0'), std::string::npos);
}

TEST(launcher, a_dead_launcher_is_noticed) {
  auto l = make();
  const auto parent = run(l, {"/bin/sh", "-c", "echo $PPID"}).out;
  auto running = l.spawn({"/bin/sleep", "60"});
  ::kill(std::stoi(parent), SIGKILL);
  EXPECT_THROW(running.wait(20s), failure);
  try {
    l.spawn({"/bin/true"}).wait(20s);
    FAIL() << "it started a command";
  } catch (const failure& f) {
    EXPECT_EQ(f.code(), errc::internal);
  }
}

TEST(launcher, its_end_can_be_watched_for) {
  auto l = make();
  const auto end = l.watch();
  const auto ended = [&end](int patience_ms) {
    pollfd one{end.get(), POLLIN, 0};
    return ::poll(&one, 1, patience_ms) > 0;
  };
  const auto pid = run(l, {"/bin/sh", "-c", "echo $PPID"}).out;
  EXPECT_FALSE(ended(0)); // not by a command that comes and goes
  ::kill(std::stoi(pid), SIGKILL);
  EXPECT_TRUE(ended(20'000));
}

TEST(launcher, its_end_is_the_end_of_what_it_runs) {
  pid_t pid = 0;
  {
    auto first = make();
    auto l = make(); // the second must not hold the first one's socket open, nor the reverse
    const auto launcher_pid = run(l, {"/bin/sh", "-c", "echo $PPID"}).out;
    auto c = l.spawn({"/bin/sleep", "60"});
    while (pid == 0)
      pid =
          std::atoi(run(first, {"/bin/sh", "-c", "pgrep -x sleep -P " + launcher_pid}).out.c_str());
    auto gone = std::move(l);
  }
  EXPECT_TRUE(dies(pid));
}

TEST(launcher, a_failing_change_of_user_is_a_failure_of_start) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "needs root";
  try {
    launcher::start({static_cast<uid_t>(-1), 65534, {}}, {});
    FAIL() << "it started";
  } catch (const failure& f) {
    EXPECT_EQ(f.code(), errc::internal);
  }
}

} // namespace

} // namespace jobrunner
