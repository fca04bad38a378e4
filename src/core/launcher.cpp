#include "core/launcher.hpp"

#include "core/error.hpp"
#include "core/launcher_process.hpp"
#include "core/memory_file.hpp"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <span>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>

namespace jobrunner {

using namespace std::chrono_literals;
using launching::outcome;
using launching::request;

namespace {

// A process that SIGKILL does not end at once is stuck in the kernel: nobody waits for it longer.
constexpr auto patience_after_kill = 5s;

class channel {
public:
  explicit channel(unique_fd socket) : socket_(std::move(socket)) {}

  std::uint64_t next_id() { return ++last_id_; }

  void send(request message, std::span<const int> files) {
    iovec data{&message, sizeof message};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * launching::descriptors)> room{};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    if (!files.empty()) {
      header.msg_control = room.data();
      header.msg_controllen = CMSG_SPACE(files.size_bytes());
      auto* control = CMSG_FIRSTHDR(&header);
      control->cmsg_level = SOL_SOCKET;
      control->cmsg_type = SCM_RIGHTS;
      control->cmsg_len = CMSG_LEN(files.size_bytes());
      std::memcpy(CMSG_DATA(control), files.data(), files.size_bytes());
    }
    for (int tries = 0; ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL) < 0; ++tries) {
      // The kernel bounds the descriptors that are under way to us (unix(7), ETOOMANYREFS).
      if (errno == ETOOMANYREFS && tries < 5000)
        std::this_thread::sleep_for(1ms);
      else if (errno != EINTR)
        throw errno_failure("the launcher is gone");
    }
  }

  /// Nobody sends to us once the launcher has said hello: what can be read is its end.
  unique_fd watch() const {
    unique_fd same{::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0)};
    if (!same)
      throw errno_failure("fcntl");
    return same;
  }

  void close() { ::shutdown(socket_.get(), SHUT_RDWR); }

private:
  unique_fd socket_;
  std::atomic<std::uint64_t> last_id_ = 0;
};

struct pipe_ends {
  unique_fd read, write;
};

pipe_ends make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw errno_failure("pipe");
  pipe_ends both{unique_fd{ends[0]}, unique_fd{ends[1]}};
  if (::fcntl(both.read.get(), F_SETFL, O_NONBLOCK) != 0)
    throw errno_failure("fcntl");
  return both;
}

/// Moves what is there into `text`, up to `limit` bytes of it in all; closes `from` at its end.
/// In bounded turns: a command that never stops printing must not keep us from the clock.
void read_some(unique_fd& from, std::string& text, std::size_t limit, bool& cut) {
  std::array<char, 65536> buffer{};
  for (int turn = 0; from && turn < 16; ++turn) {
    const auto size = ::read(from.get(), buffer.data(), buffer.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (size <= 0)
      return from.reset();
    const auto got = static_cast<std::size_t>(size);
    const auto kept = std::min(got, limit - text.size());
    text.append(buffer.data(), kept);
    cut = cut || kept < got;
  }
}

} // namespace

struct child::state {
  std::shared_ptr<channel> to;
  std::uint64_t id = 0;
  std::string program;
  unique_fd out, err, status;
  bool over = false;

  void kill() const { to->send({request::kind::kill, id}, {}); }

  /// The outcome, once it is there. Throws if the launcher went without one.
  std::optional<outcome> ended() const {
    outcome o;
    const auto size = ::read(status.get(), &o, sizeof o);
    if (size == sizeof o)
      return o;
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
      return std::nullopt;
    throw failure{errc::internal, "the launcher ended; what became of " + program + " is unknown"};
  }
};

child::child(std::unique_ptr<state> s) : state_(std::move(s)) {}
child::child(child&&) noexcept = default;

child::~child() {
  try {
    if (state_ && !state_->over)
      state_->kill();
  } catch (const failure&) { // no launcher: it took the command with it
  }
}

finished child::wait(std::chrono::steady_clock::duration patience, std::size_t limit) {
  using std::chrono::steady_clock;
  auto& s = *state_;
  finished result;
  std::optional<outcome> end;
  auto deadline = steady_clock::now() + std::min<steady_clock::duration>(patience, 24h * 365);
  while (!end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left <= 0ms && result.timed_out)
      break;
    if (left <= 0ms) {
      s.kill();
      result.timed_out = true;
      deadline = steady_clock::now() + patience_after_kill;
      continue;
    }
    std::array<pollfd, 3> all{{{s.status.get(), POLLIN, 0},
                               {s.out.get(), POLLIN, 0}, // poll() passes over closed ones (-1)
                               {s.err.get(), POLLIN, 0}}};
    ::poll(all.data(), all.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (all[1].revents)
      read_some(s.out, result.out, limit, result.cut);
    if (all[2].revents)
      read_some(s.err, result.err, limit, result.cut);
    if (all[0].revents)
      end = s.ended();
  }
  s.over = true;
  read_some(s.out, result.out, limit, result.cut);
  read_some(s.err, result.err, limit, result.cut);
  const auto how = end.value_or(outcome{outcome::kind::signalled, SIGKILL});
  result.started = how.what != outcome::kind::not_started;
  if (how.what == outcome::kind::exited)
    result.exit_code = how.value;
  else if (how.what == outcome::kind::signalled)
    result.signal = how.value;
  else
    result.err = "cannot start " + s.program + ": " + std::generic_category().message(how.value);
  // It may have ended by itself while our kill was under way.
  result.timed_out = result.timed_out && result.signal == SIGKILL;
  return result;
}

struct launcher::state {
  std::shared_ptr<channel> to;
  pid_t pid = -1;
};

launcher::launcher(std::unique_ptr<state> s) : state_(std::move(s)) {}
launcher::launcher(launcher&&) noexcept = default;

launcher::~launcher() {
  if (!state_)
    return;
  state_->to->close();
  // It ends at once; should it not, we could not make it: it may be another user's.
  for (int tries = 0; tries < 500 && ::waitpid(state_->pid, nullptr, WNOHANG) == 0; ++tries)
    std::this_thread::sleep_for(10ms);
}

launcher launcher::start(const identity& who, const std::vector<std::string>& environment) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw errno_failure("socketpair");
  unique_fd ours{ends[0]}, theirs{ends[1]};
  const auto pid = ::fork();
  if (pid < 0)
    throw errno_failure("fork");
  if (pid == 0)
    launching::serve(theirs.get(), who, environment);
  theirs.reset();
  launching::greeting hello;
  const bool heard = ::recv(ours.get(), &hello, sizeof hello, 0) == sizeof hello;
  launcher made{std::make_unique<state>(state{std::make_shared<channel>(std::move(ours)), pid})};
  if (!heard)
    throw failure{errc::internal, "the launcher ended before it was ready"};
  errno = hello.error;
  if (hello.error != 0)
    throw errno_failure("launcher for uid " + std::to_string(who.uid) + ": " + hello.doing.data());
  return made;
}

unique_fd launcher::watch() const {
  return state_->to->watch();
}

child launcher::spawn(const std::vector<std::string>& argv, int stdin_fd) {
  if (argv.empty() || !argv.front().starts_with('/'))
    throw failure{errc::internal, "a command needs an absolute path"};
  std::string text;
  for (const auto& item : argv) {
    if (item.find('\0') != std::string::npos)
      throw failure{errc::internal, "an argument of " + argv.front() + " contains a NUL"};
    text.append(item).push_back('\0');
  }
  const auto arguments = memory_file(text);
  const unique_fd null{stdin_fd < 0 ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : -1};
  auto out = make_pipe(), err = make_pipe(), status = make_pipe();
  auto s = std::make_unique<child::state>();
  s->to = state_->to;
  s->id = state_->to->next_id();
  s->program = argv.front();
  s->out = std::move(out.read);
  s->err = std::move(err.read);
  s->status = std::move(status.read);
  state_->to->send({request::kind::start, s->id},
                   std::array{arguments.get(), stdin_fd < 0 ? null.get() : stdin_fd,
                              out.write.get(), err.write.get(), status.write.get()});
  return child{std::move(s)};
}

} // namespace jobrunner
