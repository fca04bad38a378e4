// jobrunner-job JOB_DIR: what Slurm starts for every job. Reads what to run from files, runs it
// once, and leaves behind how it ended. Its output is the job's log.
#include "core/error.hpp"
#include "core/time.hpp"
#include "core/unique_fd.hpp"
#include "slurm/job_dir.hpp"
#include "slurm/job_environment.hpp"
#include "slurm/job_process.hpp"
#include "slurm/job_results.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/stat.h>

namespace jobrunner::slurm {

namespace {

namespace fs = std::filesystem;

void say(int to, std::string line) {
  line += '\n';
  static_cast<void>(!::write(to, line.data(), line.size())); // unbuffered: never lost, never twice
}

std::string user_name() {
  const auto* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_name : std::to_string(::geteuid());
}

/// Whether the log's last byte ends a line; where it cannot be read, as if it did.
bool at_line_start() {
  const unique_fd log{::open("/proc/self/fd/1", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
  struct stat about {};
  char last = '\n';
  if (log && ::fstat(log.get(), &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0)
    static_cast<void>(!::pread(log.get(), &last, 1, about.st_size - 1));
  return last == '\n';
}

ending run(const spec& s, const fs::path& job_dir) {
  const auto home = job_dir / "run/home";
  std::error_code ignored;
  fs::create_directory(home, ignored); // a job without a home can still run
  fs::permissions(home, fs::perms::owner_all, ignored);
  const auto end =
      run_command(s.argv, job_environment(s, home, user_name(), environ), s.dataset_dir);
  if (const auto left = end_leftovers())
    say(STDERR_FILENO, "jobrunner-job: ended " + std::to_string(left) +
                           " processes that the command had left running");
  share_with_group(s.result_dir);
  fs::remove_all(home, ignored);
  return end;
}

int work(const fs::path& job_dir) {
  const auto s = read_spec(job_dir);
  const char* id = std::getenv("SLURM_JOB_ID");
  if (!take_start(job_dir, id ? id : "0")) {
    say(STDERR_FILENO, "jobrunner-job: not run: this job was started before, by " +
                           started_by(job_dir).value_or("nobody"));
    return EXIT_SUCCESS;
  }
  const auto started_at = now();
  say(STDOUT_FILENO, "JOB_START " + to_rfc3339(started_at));
  // The server reads results while they grow: it is in the group of the job's user.
  ::umask(027);
  const auto end = run(s, job_dir);
  const auto ended_at = now();
  try {
    write_exit(job_dir, {end.exit_code, end.signal, started_at, ended_at});
  } catch (const failure& f) { // Slurm still has the exit code
    say(STDERR_FILENO, std::string{"jobrunner-job: "} + f.what());
  }
  say(STDOUT_FILENO, (at_line_start() ? "JOB_END " : "\nJOB_END ") + to_rfc3339(ended_at));
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
    say(STDERR_FILENO, "usage: jobrunner-job JOB_DIR");
  } catch (const std::exception& e) {
    say(STDERR_FILENO, std::string{"jobrunner-job: "} + e.what());
  }
  return EXIT_FAILURE;
}
