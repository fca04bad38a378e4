// A body of unknown length on a connection: in chunks (RFC 9112, 7.1), or as it is for a client of
// HTTP/1.0, to whom the end of the connection is the end of the body.
#pragma once

#include "http/types.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>

namespace jobrunner::http {

class stream_sink final : public body_sink {
public:
  /// `progress` is called before each write, to move the connection's deadline, and after it.
  stream_sink(asio::ip::tcp::socket& socket, bool chunked, std::function<void(bool busy)> progress)
      : socket_(socket),
        chunked_(chunked),
        progress_(std::move(progress)) {}

  asio::awaitable<void> write(std::string_view bytes) override;
  asio::awaitable<void> end();

private:
  asio::ip::tcp::socket& socket_;
  bool chunked_;
  std::function<void(bool)> progress_;
};

} // namespace jobrunner::http
