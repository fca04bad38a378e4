// Starts of one job, one after the other and at the same time: other processes hold the lock.
#include "slurm/job_turn.hpp"
#include "slurm/run_lock.hpp"
#include "temp_folder.hpp"

#include <unistd.h>

#include <csignal>
#include <gtest/gtest.h>
#include <sys/wait.h>

namespace jobrunner::slurm {

namespace {

namespace fs = std::filesystem;

struct job_turn_test : testing::Test {
  temp_folder dir;
  std::string said;

  job_turn_test() { fs::create_directories(dir / "run"); }

  job_turn turn(
      std::int64_t slurm_id, const std::function<bool()>& wait = [] { return false; }) {
    return take_turn(
        dir.path(), slurm_id, [this](const std::string& text) { said += text + "\n"; }, wait);
  }

  /// Another process that holds the lock as a job's command would: inherited, and not its own.
  pid_t command_of_a_start(std::int64_t slurm_id) {
    auto first = turn(slurm_id);
    const auto pid = ::fork();
    if (pid == 0) {
      ::pause();
      ::_exit(0);
    }
    return pid;
  }
  static void end(pid_t pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
};

TEST_F(job_turn_test, the_first_start_is_attempt_1) {
  const auto first = turn(7);
  EXPECT_EQ(first.attempt, 1);
  EXPECT_TRUE(is_locked(dir.path()));
  EXPECT_EQ(read_start(dir.path())->slurm_id, 7);
  EXPECT_EQ(said, "");
}

TEST_F(job_turn_test, the_lock_lives_as_long_as_the_command_and_no_longer) {
  EXPECT_FALSE(is_locked(dir.path()));
  const auto pid = command_of_a_start(7);
  EXPECT_TRUE(is_locked(dir.path()));
  end(pid);
  EXPECT_FALSE(is_locked(dir.path()));
}

TEST_F(job_turn_test, a_second_start_waits_while_the_first_lives) {
  const auto pid = command_of_a_start(7);
  int pauses = 0;
  const auto second = turn(8, [&] {
    EXPECT_EQ(read_start(dir.path())->slurm_id, 7);
    if (++pauses == 3)
      end(pid);
    return true;
  });
  EXPECT_EQ(pauses, 3);
  EXPECT_EQ(second.attempt, 2);
  EXPECT_NE(said.find("runs already, by Slurm's job 7"), std::string::npos) << said;
}

TEST_F(job_turn_test, one_that_is_to_end_while_it_waits_runs_nothing) {
  const auto pid = command_of_a_start(7);
  const auto second = turn(8);
  EXPECT_EQ(second.attempt, 0);
  EXPECT_FALSE(second.lock);
  EXPECT_FALSE(second.before);
  end(pid);
}

TEST_F(job_turn_test, a_job_that_has_run_does_not_run_again) {
  static_cast<void>(turn(7));
  write_exit(dir.path(), {3, 0, {}, {}, 1});
  const auto second = turn(8);
  EXPECT_EQ(second.attempt, 0);
  EXPECT_EQ(second.before->exit_code, 3);
  EXPECT_EQ(read_start(dir.path())->slurm_id, 7);
}

TEST_F(job_turn_test, after_one_that_died_without_a_record_comes_the_next_attempt) {
  static_cast<void>(turn(7));
  EXPECT_EQ(turn(8).attempt, 2);
  EXPECT_EQ(turn(9).attempt, 3);
  EXPECT_EQ(read_start(dir.path())->attempt, 3);
  EXPECT_EQ(read_start(dir.path())->slurm_id, 9);
}

TEST_F(job_turn_test, one_that_died_before_it_took_the_marker_was_none) {
  static_cast<void>(try_lock(dir.path()));
  EXPECT_EQ(turn(8).attempt, 1);
}

TEST_F(job_turn_test, what_was_withdrawn_never_runs) {
  abandon(dir.path());
  const auto late = turn(7);
  EXPECT_EQ(late.attempt, 0);
  EXPECT_TRUE(late.lock);
  EXPECT_FALSE(late.before);
}

TEST_F(job_turn_test, asking_who_holds_the_lock_is_in_nobody_s_way) {
  static_cast<void>(try_lock(dir.path()));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(is_locked(dir.path()));
    EXPECT_TRUE(try_lock(dir.path()));
  }
}

} // namespace

} // namespace jobrunner::slurm
