// jobrunner-job JOB_DIR: what Slurm starts for every job. Reads what to run from files, runs it
// once, however often Slurm starts it, and leaves behind how it ended. Its output is the job's log.
#include "core/error.hpp"
#include "core/time.hpp"
#include "core/unique_fd.hpp"
#include "slurm/job_dir.hpp"
#include "slurm/job_environment.hpp"
#include "slurm/job_process.hpp"
#include "slurm/job_results.hpp"
#include "slurm/job_turn.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <sys/stat.h>

namespace jobrunner::slurm {

namespace {

namespace fs = std::filesystem;

/// Whether the log's last byte ends a line; where it cannot be read, as if it did.
bool at_line_start() {
  const unique_fd log{::open("/proc/self/fd/1", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
  struct stat about {};
  char last = '\n';
  if (log && ::fstat(log.get(), &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0)
    static_cast<void>(!::pread(log.get(), &last, 1, about.st_size - 1));
  return last == '\n';
}

/// A line of its own in the log. Unbuffered: never lost, never twice.
void say(const std::string& text) {
  const auto line = (at_line_start() ? "" : "\n") + text + "\n";
  static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
}

void complain(const std::string& text) {
  say("jobrunner-job: " + text);
}

std::string user_name() {
  const auto* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_name : std::to_string(::geteuid());
}

ending run(const spec& s, const fs::path& job_dir) {
  const auto home = job_dir / "run/home";
  std::error_code ignored;
  fs::remove_all(home, ignored);       // of an attempt that died
  fs::create_directory(home, ignored); // a job without a home can still run
  fs::permissions(home, fs::perms::owner_all, ignored);
  const auto end =
      run_command(s.argv, job_environment(s, home, user_name(), environ), s.dataset_dir);
  if (end.signal != 0)
    complain("the command was ended by signal " + std::to_string(end.signal) + " (" +
             ::strsignal(end.signal) + ")");
  if (const auto left = end_leftovers())
    complain("ended what the command had left running: " + std::to_string(left) + " process(es)");
  share_with_group(s.result_dir);
  fs::remove_all(home, ignored);
  return end;
}

std::int64_t slurm_id() {
  const char* text = std::getenv("SLURM_JOB_ID");
  return text ? std::strtoll(text, nullptr, 10) : 0;
}

int work(const fs::path& job_dir) {
  const auto s = read_spec(job_dir);
  const auto turn = take_turn(job_dir, slurm_id(), complain, wait_for_turn);
  if (turn.before) // Slurm shall say the same of this start
    return turn.before->exit_code;
  if (turn.attempt == 0)
    return turn.lock ? EXIT_SUCCESS : EXIT_FAILURE;
  const auto started_at = now();
  say("JOB_START " + to_rfc3339(started_at) +
      (turn.attempt > 1 ? " attempt " + std::to_string(turn.attempt) : ""));
  // The server reads results while they grow: it is in the group of the job's user.
  ::umask(027);
  if (turn.attempt > 1 && !set_aside(s.result_dir, turn.attempt - 1))
    complain("not all of what attempt " + std::to_string(turn.attempt - 1) +
             " left in RESULT_DIR could be put aside");
  const auto end = run(s, job_dir);
  const auto ended_at = now();
  try {
    write_exit(job_dir, {end.exit_code, end.signal, started_at, ended_at, turn.attempt});
  } catch (const failure& f) { // Slurm still has the exit code
    complain(f.what());
  }
  say("JOB_END " + to_rfc3339(ended_at));
  return end.exit_code;
}

} // namespace

} // namespace jobrunner::slurm

int main(int argc, char** argv) {
  using namespace jobrunner::slurm;
  hold_signals();
  try {
    if (argc == 2)
      return work(argv[1]);
    complain("usage: jobrunner-job JOB_DIR");
  } catch (const std::exception& e) {
    complain(e.what());
  }
  return EXIT_FAILURE;
}
