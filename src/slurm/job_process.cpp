#include "slurm/job_process.hpp"

#include "core/exec_array.hpp"
#include "core/text.hpp"
#include "slurm/process_tree.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>

namespace jobrunner::slurm {

namespace {

// slurmstepd reads all of /proc for the list of a job's processes.
constexpr std::chrono::milliseconds oldest_list{50};

sigset_t held() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCONT, SIGUSR1, SIGUSR2})
    sigaddset(&set, s);
  return set;
}

[[noreturn]] void become(std::vector<std::string> argv, std::vector<std::string> environment,
                         const std::filesystem::path& folder) {
  const auto arguments = exec_array(argv), variables = exec_array(environment);
  environ = const_cast<char**>(variables.data()); // execvp searches its PATH
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::string doing = "enter the dataset's folder " + shown(folder.string());
  if (::chdir(folder.c_str()) == 0) {
    doing = "start " + shown(argv.front());
    ::execvp(arguments.front(), arguments.data());
  }
  const auto said =
      "jobrunner-job: cannot " + doing + ": " + std::generic_category().message(errno) + "\n";
  static_cast<void>(!::write(STDERR_FILENO, said.data(), said.size()));
  ::_exit(127);
}

ending ending_of(int status) {
  if (WIFSIGNALED(status))
    return {128 + WTERMSIG(status), WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

/// Whether the process has a handler for the signal; false where nobody can tell.
bool catches(pid_t pid, int signal) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
  const std::string label = "SigCgt:";
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(label)) {
      const auto mask = std::strtoull(line.c_str() + label.size(), nullptr, 16);
      return ((mask >> static_cast<unsigned>(signal - 1)) & 1U) != 0;
    }
  return false;
}

/// Whether the command has a signal of our parent's too. When Slurm ends or resumes a job its step
/// daemon, our parent, signals every process of the job itself, but of a list that can be from
/// before the fork; and what came before the fork came to us alone. A command that does not catch a
/// signal can have it twice without harm: if it had it, it is dead. To one that does, a second
/// SIGTERM would be an order to hurry, and it has run for longer than lists are old.
bool has_it(pid_t command, int signal, std::chrono::steady_clock::duration age) {
  return age > oldest_list && catches(command, signal);
}

std::string groups_of(const std::string& process) {
  std::ifstream file{"/proc/" + process + "/cgroup"};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The lines of the hierarchies by which Slurm can track jobs: version 1's freezer, and version 2.
std::string tracking(const std::string& groups) {
  std::string lines;
  std::istringstream all{groups};
  for (std::string line; std::getline(all, line);)
    if (line.starts_with("0::") || line.find(":freezer:") != std::string::npos)
      lines += line + '\n';
  return lines;
}

} // namespace

bool tracked_by_cgroup(const std::string& own, const std::string& parents) {
  return !parents.empty() && tracking(own) != tracking(parents);
}

void hold_signals() {
  const auto set = held();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGCHLD, SIG_DFL);
}

bool wait_for_turn() {
  const auto set = held();
  const timespec moment{0, 100'000'000};
  const int signal = ::sigtimedwait(&set, nullptr, &moment);
  return signal != SIGTERM && signal != SIGINT && signal != SIGHUP && signal != SIGQUIT;
}

ending run_command(const std::vector<std::string>& argv,
                   const std::vector<std::string>& environment,
                   const std::filesystem::path& folder) {
  using clock = std::chrono::steady_clock;
  hold_signals();
  // Those whose parent ends become ours: end_leftovers() finds them however they detached.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t early; // came when there was no command yet
  ::sigpending(&early);
  const auto pid = ::fork();
  if (pid < 0)
    throw std::system_error{errno, std::generic_category(), "fork"};
  if (pid == 0)
    become(argv, environment, folder);
  const auto started = clock::now();
  const bool to_us_alone =
      tracked_by_cgroup(groups_of("self"), groups_of(std::to_string(::getppid())));
  const auto set = held();
  for (;;) {
    siginfo_t got{};
    const int signal = ::sigwaitinfo(&set, &got);
    if (signal < 0)
      continue; // EINTR
    if (signal != SIGCHLD) {
      // Slurm's other signals (scancel --batch) are for us alone.
      const bool to_all = (signal == SIGTERM || signal == SIGCONT) && got.si_pid == ::getppid();
      if (to_all && to_us_alone)
        for (const auto one : descendants_of(::getpid()))
          ::kill(one, signal);
      else if (!to_all || sigismember(&early, signal) == 1 ||
               !has_it(pid, signal, clock::now() - started))
        ::kill(pid, signal);
      sigdelset(&early, signal);
      continue;
    }
    int status = 0;
    while (const auto ended = ::waitpid(-1, &status, WNOHANG)) {
      if (ended < 0)
        break;
      if (ended == pid)
        return ending_of(status);
    }
  }
}

int end_leftovers() {
  using clock = std::chrono::steady_clock;
  int killed = 0;
  const auto start = clock::now();
  for (auto left = children_of(::getpid()); !left.empty(); left = children_of(::getpid())) {
    const auto since = clock::now() - start;
    if (since > std::chrono::seconds{5})
      break;
    // A moment for helpers that are just ending, srun's for one.
    if (since > std::chrono::milliseconds{200})
      for (const auto pid : left)
        killed += ::kill(pid, SIGKILL) == 0;
    const timespec moment{0, 5'000'000};
    ::nanosleep(&moment, nullptr);
    while (::waitpid(-1, nullptr, WNOHANG) > 0)
      continue;
  }
  return killed;
}

} // namespace jobrunner::slurm
