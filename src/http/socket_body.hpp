// The body of a request as it comes from a connection: by length or in chunks, and not too slowly.
#pragma once

#include "http/request_parser.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <chrono>

namespace jobrunner::http {

class socket_body final : public body_stream {
public:
  using clock = std::chrono::steady_clock;

  /// For a parser that has read the header. `deadline` is the connection's: it is set while bytes
  /// are awaited, and lifted when they have come.
  socket_body(asio::ip::tcp::socket& socket, boost::beast::flat_buffer& buffer,
              request_parser& parser, clock::time_point& deadline);

  asio::awaitable<std::size_t> read(std::span<char> into) override;
  std::optional<std::uint64_t> length() const override;

  /// Nothing of it is left on the connection, and the next request may be read.
  bool over() const;

private:
  asio::awaitable<void> invite();
  asio::awaitable<std::size_t> read_chunk(std::span<char> into);
  asio::awaitable<std::size_t> read_plain(std::span<char> into);
  void check_rate(std::size_t n);

  asio::ip::tcp::socket& socket_;
  boost::beast::flat_buffer& buffer_; // may hold the body's beginning
  request_parser& parser_;
  clock::time_point& deadline_;
  std::uint64_t left_; // of a Content-Length
  bool invited_;       // the client does not wait for 100 (Continue), or has had it
  clock::time_point rate_since_ = clock::now();
  std::uint64_t rate_bytes_ = 0;
};

} // namespace jobrunner::http
