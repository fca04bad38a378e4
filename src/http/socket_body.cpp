#include "http/socket_body.hpp"

#include "core/error.hpp"
#include "http/text/ascii.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

#include <algorithm>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;
using asio::redirect_error;
using asio::use_awaitable;

constexpr auto rate_window = 30s;
constexpr std::uint64_t least_rate = 1024; // bytes a second

bool is_bad_http(const boost::system::error_code& ec) {
  return ec.category() == make_error_code(beast::error::bad_method).category() &&
         ec != beast::error::partial_message;
}

} // namespace

socket_body::socket_body(asio::ip::tcp::socket& socket, boost::beast::flat_buffer& buffer,
                         request_parser& parser, clock::time_point& deadline)
    : socket_(socket),
      buffer_(buffer),
      parser_(parser),
      deadline_(deadline),
      left_(parser.content_length().value_or(0)),
      invited_(!same_word(view(parser.get()[beast::field::expect]), "100-continue")) {}

std::optional<std::uint64_t> socket_body::length() const {
  const auto n = parser_.content_length();
  return n ? std::optional<std::uint64_t>{*n} : std::nullopt;
}

bool socket_body::over() const {
  return parser_.chunked() ? parser_.is_done() : left_ == 0;
}

asio::awaitable<std::size_t> socket_body::read(std::span<char> into) {
  if (over())
    co_return 0;
  deadline_ = clock::now() + rate_window;
  co_await invite();
  std::size_t n = 0;
  if (parser_.chunked())
    n = co_await read_chunk(into);
  else
    n = co_await read_plain(into);
  check_rate(n);
  deadline_ = clock::time_point::max();
  co_return n;
}

/// RFC 9110, 10.1.1. Only here, so that what is refused by its header alone is never sent.
asio::awaitable<void> socket_body::invite() {
  constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  const bool wanted = !std::exchange(invited_, true) && buffer_.size() == 0;
  if (wanted)
    co_await asio::async_write(socket_, asio::buffer(go_on), use_awaitable);
}

asio::awaitable<std::size_t> socket_body::read_chunk(std::span<char> into) {
  std::size_t n = 0;
  while (n == 0 && !parser_.is_done()) {
    auto& body = parser_.get().body();
    body.data = into.data();
    body.size = into.size();
    boost::system::error_code ec;
    co_await beast::async_read_some(socket_, buffer_, parser_, redirect_error(use_awaitable, ec));
    n = into.size() - body.size;
    if (is_bad_http(ec) && ec != beast::error::need_buffer)
      throw failure(errc::invalid, "the body cannot be read: " + ec.message());
    if (ec && ec != beast::error::need_buffer)
      throw boost::system::system_error(ec);
  }
  co_return n;
}

/// Past Beast, straight into the buffer.
asio::awaitable<std::size_t> socket_body::read_plain(std::span<char> into) {
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
  std::size_t n = 0;
  if (buffer_.size() > 0) {
    n = asio::buffer_copy(asio::buffer(into.data(), want), buffer_.data());
    buffer_.consume(n);
  } else {
    n = co_await socket_.async_read_some(asio::buffer(into.data(), want), use_awaitable);
  }
  left_ -= n;
  co_return n;
}

void socket_body::check_rate(std::size_t n) {
  rate_bytes_ += n;
  const auto elapsed = clock::now() - rate_since_;
  if (elapsed < rate_window)
    return;
  if (rate_bytes_ < least_rate * static_cast<std::uint64_t>(elapsed / 1s))
    throw boost::system::system_error(asio::error::timed_out);
  rate_since_ = clock::now();
  rate_bytes_ = 0;
}

} // namespace jobrunner::http
