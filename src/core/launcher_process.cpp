#include "core/launcher_process.hpp"

#include "core/exec_array.hpp"
#include "core/launcher_identity.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <span>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace jobrunner::launching {

namespace {

using received = std::array<unique_fd, descriptors>;

struct running {
  std::uint64_t id = 0;
  unique_fd report;
};

void tell(const unique_fd& pipe, outcome what) {
  // Shorter than PIPE_BUF into an empty pipe: all or nothing. Nobody may be listening any more.
  static_cast<void>(!::write(pipe.get(), &what, sizeof what));
}

/// One message; false when the other end is closed.
bool receive(int socket, request& message, received& files) {
  iovec data{&message, sizeof message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * descriptors)> room{};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = room.data();
  header.msg_controllen = room.size();
  const auto size = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  if (size <= 0)
    return false;
  const auto* control = CMSG_FIRSTHDR(&header);
  if (!control || control->cmsg_type != SCM_RIGHTS)
    return true;
  std::array<int, descriptors> raw{};
  const auto bytes = std::min(control->cmsg_len - CMSG_LEN(0), sizeof raw);
  std::memcpy(raw.data(), CMSG_DATA(control), bytes);
  for (std::size_t i = 0; i < bytes / sizeof(int); ++i)
    files.at(i).reset(raw.at(i));
  return true;
}

std::vector<std::string> read_arguments(int file) {
  struct stat about {};
  if (::fstat(file, &about) != 0)
    return {};
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  if (::pread(file, text.data(), text.size(), 0) != about.st_size)
    return {};
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size(); at += all.back().size() + 1)
    all.emplace_back(text.c_str() + at);
  return all;
}

/// The pid, or minus errno. posix_spawn's child shares our memory until its exec and is as little
/// open to its user's other processes as we are (see launcher_identity.hpp); after the exec there
/// is nothing of ours left to read.
pid_t spawn(std::vector<std::string> argv, std::vector<std::string>& environment,
            const received& files) {
  if (argv.empty())
    return -EINVAL;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_t how;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&how);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_setflags(&how,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&how, 0);
  posix_spawnattr_setsigmask(&how, &none);
  posix_spawnattr_setsigdefault(&how, &all);
  for (int to = 0; to < 3; ++to) // all others are close-on-exec
    posix_spawn_file_actions_adddup2(&actions, files.at(static_cast<std::size_t>(to) + 1).get(),
                                     to);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, argv.front().c_str(), &actions, &how, exec_array(argv).data(),
                                exec_array(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&how);
  return error == 0 ? pid : -error;
}

class process {
public:
  process(int socket, int signals, std::vector<std::string> environment)
      : socket_(socket),
        signals_(signals),
        environment_(std::move(environment)) {}

  void run() {
    std::array<pollfd, 2> both{{{socket_, POLLIN, 0}, {signals_, POLLIN, 0}}};
    for (;;) {
      if (::poll(both.data(), both.size(), -1) < 0 && errno != EINTR)
        return;
      if (both[1].revents)
        reap();
      if (both[0].revents && !hear())
        return;
    }
  }

  void kill_all() const {
    for (const auto& [pid, command] : running_)
      kill(pid);
  }

private:
  /// It, which may have left its group, and its group.
  static void kill(pid_t pid) {
    ::kill(pid, SIGKILL);
    ::kill(-pid, SIGKILL);
  }

  bool hear() {
    request message;
    received files;
    if (!receive(socket_, message, files))
      return false;
    if (message.what == request::kind::kill) {
      for (const auto& [pid, command] : running_)
        if (command.id == message.id)
          kill(pid);
      return true;
    }
    auto& report = files.back();
    if (!report) // out of descriptors: the pipe is closed now, and its reader knows
      return true;
    const auto pid = spawn(read_arguments(files.front().get()), environment_, files);
    if (pid > 0)
      running_.emplace(pid, running{message.id, std::move(report)});
    else
      tell(report, {outcome::kind::not_started, -pid});
    return true;
  }

  void reap() {
    signalfd_siginfo ignored{};
    static_cast<void>(!::read(signals_, &ignored, sizeof ignored));
    siginfo_t ended{};
    // WNOWAIT: while its leader is a zombie the group's number cannot belong to anybody else, so
    // that what the command left behind can be killed by it.
    while (ended.si_pid = 0,
           ::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid > 0) {
      ::kill(-ended.si_pid, SIGKILL);
      ::waitpid(ended.si_pid, nullptr, 0);
      const auto found = running_.find(ended.si_pid);
      if (found == running_.end())
        continue;
      const auto kind =
          ended.si_code == CLD_EXITED ? outcome::kind::exited : outcome::kind::signalled;
      tell(found->second.report, {kind, ended.si_status});
      running_.erase(found);
    }
  }

  int socket_, signals_;
  std::vector<std::string> environment_;
  std::map<pid_t, running> running_;
};

int child_signals() {
  sigset_t set;
  sigfillset(&set); // Ctrl-C is the server's to answer; we go when our socket closes
  sigprocmask(SIG_SETMASK, &set, nullptr);
  ::signal(SIGCHLD, SIG_DFL);
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

} // namespace

void serve(int socket, const identity& who, const std::vector<std::string>& environment) noexcept {
  const auto mine = keep_only(socket);
  auto hello = become(who);
  const int signals = child_signals();
  if (signals < 0 && hello.error == 0)
    hello = {errno, {"signalfd"}};
  const bool said = ::send(mine, &hello, sizeof hello, MSG_NOSIGNAL) == sizeof hello;
  if (said && hello.error == 0) {
    process self{mine, signals, environment};
    try {
      self.run();
    } catch (...) { // out of memory: what runs is ended below, and the server will know
    }
    self.kill_all();
  }
  ::_exit(0); // no destructor of the server's objects may run twice
}

} // namespace jobrunner::launching
