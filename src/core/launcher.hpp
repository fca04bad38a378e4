// Commands run as another user, without sudo and without this server's secrets.
//
// While the server is still root and has no threads it forks one launcher for each user it
// will need. The launcher gives up root for good, forgets the environment, closes every other
// descriptor, and from then on starts the commands it is sent over a socket pair; output and
// exit status come back through descriptors that travel with the command. A server that is not
// root gets launchers of its own user: the same code, and no isolation.
#pragma once

#include "core/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <vector>

namespace jobrunner {

/// Who a launcher becomes. Ignored, as are all set*id calls, where the server is not root.
struct identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups; // supplementary
};

class child;

class launcher {
public:
  /// Forks; call it before any thread exists. `environment` is the whole environment
  /// ("NAME=value") of every command it will start. Throws failure{internal}.
  static launcher start(const identity& who, const std::vector<std::string>& environment);
  launcher(launcher&&) noexcept;
  ~launcher(); // ends the process, which kills (SIGKILL, by process group) what it still runs

  /// Starts `argv` (argv[0] is an absolute path; no shell, no PATH search) with `stdin_fd` as its
  /// standard input, or /dev/null. The command leads a process group of its own.
  /// Thread-safe. Throws failure{internal} if the launcher is gone.
  child spawn(const std::vector<std::string>& argv, int stdin_fd = -1);

  /// A descriptor that becomes readable when the launcher's process has ended, and not before.
  /// Throws failure{internal}.
  unique_fd watch() const;

private:
  struct state;
  explicit launcher(std::unique_ptr<state>);
  std::unique_ptr<state> state_;
};

/// What became of a command.
struct finished {
  bool started = false;   // false: exec failed, `err` says why
  bool timed_out = false; // killed by us (SIGKILL, whole process group) when its time was over
  int exit_code = -1;     // if it exited
  int signal = 0;         // if a signal ended it
  std::string out, err;   // cut at the limit given to wait()
  bool cut = false;       // it printed more than that
};

/// A running command. One owner, one thread at a time. Killed if destroyed before wait() returned.
class child {
public:
  child(child&&) noexcept;
  child& operator=(child&&) = delete;
  ~child();

  /// Blocks until the command has ended, or kills it after `patience`. Reads its output meanwhile
  /// and keeps at most `limit` bytes of each stream. What the command leaves behind in its process
  /// group is killed when it ends. Throws failure{internal} if the launcher ends meanwhile: nobody
  /// knows what became of the command then.
  finished wait(std::chrono::steady_clock::duration patience, std::size_t limit = 1U << 20U);

private:
  friend class launcher;
  struct state;
  explicit child(std::unique_ptr<state>);
  std::unique_ptr<state> state_;
};

} // namespace jobrunner
