// A server on loopback that answers each connection with what a test gives it, byte for byte, and
// counts the connections.
#pragma once

#include "core/unique_fd.hpp"

#include <poll.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>

namespace jobrunner {

class tiny_server {
public:
  /// What it does with a connection whose request's header it has read.
  using handler = std::function<void(int connection, const std::string& header)>;

  explicit tiny_server(
      handler serve = [](int, const std::string&) {}, const char* address = "127.0.0.1")
      : serve_(std::move(serve)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    inet_pton(AF_INET, address, &at.sin_addr);
    socklen_t size = sizeof at;
    auto* generic = reinterpret_cast<sockaddr*>(&at);
    if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 64) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0)
      throw std::runtime_error("no listener");
    port_ = ntohs(at.sin_port);
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
  }

  static handler answers(const std::string& text) {
    return [text](int connection, const std::string&) { say(connection, text); };
  }
  static void say(int connection, std::string_view text) {
    while (!text.empty()) {
      const auto n = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  std::uint16_t port() const { return port_; }
  std::string port_text() const { return ":" + std::to_string(port_); }
  int connections() const { return connections_.load(); }

private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waits{listener_.get(), POLLIN, 0};
      if (poll(&waits, 1, 20) <= 0)
        continue;
      const unique_fd connection{::accept(listener_.get(), nullptr, nullptr)};
      ++connections_;
      std::string header;
      std::array<char, 4096> buffer{};
      const auto whole = [&] { return header.find("\r\n\r\n") != std::string::npos; };
      while (!whole()) {
        const auto n = ::recv(connection.get(), buffer.data(), buffer.size(), 0);
        if (n <= 0)
          break;
        header.append(buffer.data(), static_cast<std::size_t>(n));
      }
      if (whole()) // else the client went away before it had asked
        serve_(connection.get(), header);
    }
  }

  handler serve_;
  unique_fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::jthread thread_;
};

} // namespace jobrunner
