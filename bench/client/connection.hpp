// A non-blocking connection that sends one request at a time, for an epoll loop.
#pragma once

#include "options.hpp"
#include "response.hpp"

#include <chrono>
#include <string>

namespace bench {

using clock = std::chrono::steady_clock;

class connection {
public:
  enum class now { waits, answered, broken };

  connection() = default;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { close(); }

  /// Connects by --port (on 127.0.0.1) or --unix, and has itself watched by the epoll instance
  /// under `key`. Ends the program where that fails.
  void open(const options& given, int epoll, std::uint64_t key);
  void close();

  /// Sends; a connection that breaks meanwhile is found by proceed().
  void send(const std::string& request);

  /// To be called when epoll says that something has happened.
  now proceed();

  int status() const { return answer_.status(); }
  clock::time_point sent_at() const { return sent_at_; }

  bool pending() const { return pending_; } // sent, and not yet done with
  void done() { pending_ = false; }

  /// A server that closes after its answer needs a new connection for the next request.
  bool reusable() const { return fd_ >= 0 && !answer_.closes(); }

private:
  int fd_ = -1;
  bool pending_ = false;
  response answer_;
  clock::time_point sent_at_;
};

/// Ends the program with the system's word for what failed.
[[noreturn]] void fail(const std::string& what);

/// As many open files as are allowed.
void many_files();

} // namespace bench
