// Downloads once and throws away: what it takes is the server's time. The bytes stay in the kernel
// (MSG_TRUNC), so that the client costs as little as one can.
//
//   bench-sink HOST PORT PATH [HEADER...]
//
// Prints {"status":200,"bytes":N,"seconds":S,"client_cpu":S}; seconds from before the request to
// the last byte. Exit status 1 unless all of Content-Length came.
#include <unistd.h>

#include <arpa/inet.h>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <vector>

namespace {

int connected(const char* host, const char* port) {
  const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  // sockaddr's family of types is older than C++.
  if (s < 0 || inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
      ::connect(s, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("cannot connect");
  return s;
}

void say(int s, const std::string& text) {
  if (::send(s, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("cannot send");
}

/// The answer's header, and what of the body came with it.
std::string head(int s) {
  std::string got;
  while (got.find("\r\n\r\n") == std::string::npos) {
    std::vector<char> piece(4096);
    const auto n = ::recv(s, piece.data(), piece.size(), 0);
    if (n <= 0)
      throw std::runtime_error("the connection ended in the header");
    got.append(piece.data(), static_cast<std::size_t>(n));
  }
  return got;
}

std::uint64_t length_of(const std::string& header) {
  for (const char* name : {"\r\nContent-Length: ", "\r\ncontent-length: "})
    if (const auto at = header.find(name); at != std::string::npos)
      return std::strtoull(header.c_str() + at + 18, nullptr, 10);
  throw std::runtime_error("no Content-Length");
}

std::uint64_t discard(int s, std::uint64_t left) {
  constexpr std::size_t piece = 4 << 20; // MSG_TRUNC on TCP takes bytes off the queue uncopied
  std::vector<char> unused(1);
  std::uint64_t done = 0;
  while (done < left) {
    const auto n = ::recv(s, unused.data(), std::min<std::uint64_t>(piece, left - done), MSG_TRUNC);
    if (n <= 0)
      break;
    done += static_cast<std::uint64_t>(n);
  }
  return done;
}

double cpu() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int download(const std::vector<std::string>& args) {
  const int s = connected(args.at(0).c_str(), args.at(1).c_str());
  std::string request = "GET " + args.at(2) + " HTTP/1.1\r\nHost: " + args.at(0) + "\r\n";
  for (std::size_t i = 3; i < args.size(); ++i)
    request += args[i] + "\r\n";
  const auto start = std::chrono::steady_clock::now();
  say(s, request + "\r\n");
  const auto got = head(s);
  const auto body = got.find("\r\n\r\n") + 4;
  const auto length = length_of(got.substr(0, body));
  const auto came = got.size() - body;
  const auto bytes = came + discard(s, length - came);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  ::close(s);
  std::printf("{\"status\":%s,\"bytes\":%llu,\"seconds\":%.6f,\"client_cpu\":%.6f}\n",
              got.substr(9, 3).c_str(), static_cast<unsigned long long>(bytes), took.count(),
              cpu());
  return bytes == length ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> args{argv + 1, argv + argc};
  if (args.size() < 3)
    throw std::runtime_error("usage: bench-sink HOST PORT PATH [HEADER...]");
  return download(args);
} catch (const std::exception& e) {
  std::fprintf(stderr, "bench-sink: %s\n", e.what());
  return 2;
}
