#include "http/stream_sink.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdio>

namespace jobrunner::http {

asio::awaitable<void> stream_sink::write(std::string_view bytes) {
  if (bytes.empty()) // an empty chunk would end the body
    co_return;
  std::array<char, 20> size{};
  const auto n = chunked_ ? std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size()) : 0;
  const std::array<asio::const_buffer, 3> all{
      asio::buffer(size.data(), static_cast<std::size_t>(n)), asio::buffer(bytes),
      asio::buffer("\r\n", chunked_ ? 2 : 0)};
  progress_(true);
  co_await asio::async_write(socket_, all, asio::use_awaitable);
  progress_(false);
}

asio::awaitable<void> stream_sink::end() {
  if (!chunked_)
    co_return;
  progress_(true);
  co_await asio::async_write(socket_, asio::buffer("0\r\n\r\n", 5), asio::use_awaitable);
}

} // namespace jobrunner::http
