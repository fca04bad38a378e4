#include "connection.hpp"

#include <unistd.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace bench {

void fail(const std::string& what) {
  std::cerr << what << ": " << std::strerror(errno) << "\n";
  std::exit(1);
}

void many_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void connection::open(const options& given, int epoll, std::uint64_t key) {
  close();
  sockaddr_un local{};
  sockaddr_in inet{};
  const auto path = given.text("unix");
  const bool is_local = !path.empty();
  local.sun_family = AF_UNIX;
  path.copy(local.sun_path, sizeof local.sun_path - 1);
  inet.sin_family = AF_INET;
  inet.sin_port = htons(static_cast<std::uint16_t>(given.number("port", 0)));
  inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fd_ = ::socket(is_local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0)
    fail("socket");
  // Blocking, so that a full backlog is waited for.
  const auto* address = is_local ? static_cast<const void*>(&local) : &inet;
  if (::connect(fd_, static_cast<const sockaddr*>(address), is_local ? sizeof local : sizeof inet) <
      0)
    fail("connect");
  const int on = 1;
  if (!is_local)
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.u64 = key;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd_, &event) < 0)
    fail("epoll_ctl");
}

void connection::close() {
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = -1;
}

void connection::send(const std::string& request) {
  answer_.clear();
  pending_ = true;
  sent_at_ = clock::now();
  std::size_t written = 0;
  while (written < request.size()) {
    // Requests are small, so this waits for room in the socket rather than for epoll.
    const auto n = ::send(fd_, request.data() + written, request.size() - written, MSG_NOSIGNAL);
    if (n < 0)
      return;
    written += static_cast<std::size_t>(n);
  }
}

connection::now connection::proceed() {
  static char buffer[256 * 1024];
  for (;;) {
    const auto n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) {
      if (answer_.take({buffer, static_cast<std::size_t>(n)}))
        return now::answered;
      continue;
    }
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return now::waits;
    const bool whole = n == 0 && answer_.ends_with_connection();
    close();
    return whole ? now::answered : now::broken;
  }
}

} // namespace bench
