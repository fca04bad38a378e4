#include "http/session.hpp"

#include "http/archive_transfer.hpp"
#include "http/problem.hpp"
#include "http/request_head.hpp"
#include "http/transfer.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/write.hpp>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;
using asio::redirect_error;
using asio::use_awaitable;

constexpr auto header_time = 10s;
constexpr auto linger_time = 5s;
constexpr std::size_t linger_bytes = 64U << 20U;
constexpr std::uint32_t largest_header = 16 * 1024;
constexpr std::size_t buffer_bytes = 32768; // a header, or a chunk's head with its extensions
constexpr std::size_t usual_bytes = 1024;   // of a header; a connection keeps room for as many

unsigned status_for(const boost::system::error_code& ec) {
  if (ec == beast::error::header_limit || ec == beast::error::buffer_overflow)
    return 431;
  return 400;
}

} // namespace

session::session(asio::ip::tcp::socket socket, const asio::ip::address& peer, const context& with,
                 wrong_tokens& guesses)
    : socket_(std::move(socket)),
      peer_(peer),
      with_(with),
      guesses_(guesses),
      alarm_(socket_.get_executor()),
      deadline_(clock::now() + header_time),
      buffer_(buffer_bytes) {
  boost::system::error_code ec;
  socket_.set_option(asio::ip::tcp::no_delay(true), ec);
  socket_.non_blocking(true, ec);
}

void session::close() {
  boost::system::error_code ec;
  socket_.close(ec);
  alarm_.cancel();
}

void session::drain() {
  draining_ = true;
  if (idle_) {
    close();
  } else if (waits_ && !interrupted_) {
    interrupted_ = true;
    interrupt_.emit(asio::cancellation_type::terminal);
  }
}

void session::start(std::function<void(session&)> ended) {
  ended_ = std::move(ended);
  set_alarm();
  go_on();
}

void session::go_on() {
  asio::co_spawn(executor(), run(),
                 asio::bind_cancellation_slot(
                     interrupt_.slot(), [self = shared_from_this()](const std::exception_ptr&) {
                       if (self->later_)
                         self->park();
                       else if (std::exchange(self->stays_, false))
                         self->rest();
                       else
                         self->ended_(*self);
                     }));
}

/// Until there is nothing more to do, or something to wait for. Where one event answers thousands,
/// none of them goes on to its next request here: all would have their coroutines at once.
asio::awaitable<void> session::run() {
  try {
    const bool late = later_ != nullptr;
    bool again = true;
    if (late)
      again = co_await make_late();
    stays_ = late && again && !later_ && buffer_.size() == 0;
    while (again && !later_ && !stays_)
      again = co_await serve_one();
  } catch (const std::exception&) {
    later_.reset(); // The client is gone, or was too slow: there is nobody to tell.
  }
  if (!later_ && !stays_)
    close();
}

asio::awaitable<bool> session::serve_one() {
  const bool complete = co_await read_header();
  if (!complete)
    co_return false;
  idle_ = false;
  deadline_ = clock::now() + idle_time;
  terms_ = {parser_->get().method() == beast::verb::head, parser_->get().version() >= 11, false};
  response res;
  const bool broken = refuses(res);
  if (!broken)
    res = co_await answer();
  terms_.another = !broken && body_->over() && parser_->get().keep_alive();
  later_ = std::move(res.later);
  if (later_)
    co_return true;
  const bool again = co_await reply(std::move(res));
  co_return again;
}

/// Sends an answer; true if the connection serves on.
asio::awaitable<bool> session::reply(response res) {
  const bool chunked = res.rest && terms_.modern;
  // After a 400 nobody can be sure that both sides agree on where the next request begins.
  const bool keep = terms_.another && !draining_ &&
                    res.message.result() != beast::status::bad_request &&
                    (res.rest ? chunked : !res.message.need_eof());
  res.message.version(11);
  res.message.keep_alive(keep);
  if (res.rest)
    res.message.chunked(chunked);
  co_await write(res, terms_.head);
  if (res.rest && !terms_.head) {
    res.message = {};
    co_await stream(std::move(res.rest), chunked);
  }
  if (!keep) {
    co_await linger();
    co_return false;
  }
  release();
  idle_ = true;
  co_return !draining_;
}

/// What is left of a request; its memory is others' while somebody waits.
void session::release() {
  body_.reset();
  parser_.reset();
  if (waits_ || buffer_.capacity() > usual_bytes)
    buffer_.shrink_to_fit();
}

/// False if the connection is to be closed: the client is gone, or was told what is wrong.
asio::awaitable<bool> session::read_header() {
  if (buffer_.size() == 0) {
    boost::system::error_code gone;
    const auto n = co_await socket_.async_read_some(buffer_.prepare(usual_bytes),
                                                    redirect_error(use_awaitable, gone));
    if (gone)
      co_return false;
    buffer_.commit(n);
  }
  deadline_ = clock::now() + header_time;
  parser_ = std::make_unique<request_parser>();
  parser_->header_limit(largest_header);
  parser_->body_limit(boost::none); // each route has its own
  const auto head = co_await read_head(socket_, buffer_, *parser_);
  folded_ = head.folded;
  const auto ec = head.error;
  if (!ec)
    co_return true;
  if (ec == beast::error::end_of_stream ||
      ec.category() != make_error_code(beast::error::bad_method).category())
    co_return false;
  auto res = problem(status_for(ec), "the request cannot be read: " + ec.message());
  res.message.keep_alive(false);
  co_await write(res, false);
  co_await linger();
  co_return false;
}

asio::awaitable<void> session::write(response& res, bool head) {
  deadline_ = clock::now() + write_time;
  beast::response_serializer<beast::string_body> serializer{res.message};
  if (head || res.file || res.archive || res.rest) {
    const std::function<void()> progress = [this] { deadline_ = clock::now() + write_time; };
    co_await beast::async_write_header(socket_, serializer, use_awaitable);
    if (res.file && !head)
      co_await send_file(socket_, *res.file, with_.files, progress);
    if (res.archive && !head)
      co_await send_archive(socket_, *res.archive, with_.files, progress);
  } else {
    // What the socket takes at once needs no turn of the scheduler's, and is not kept until then.
    boost::system::error_code ec;
    beast::write(socket_, serializer, ec);
    if (ec == asio::error::would_block)
      co_await beast::async_write(socket_, serializer, use_awaitable);
    else if (ec)
      throw boost::system::system_error(ec);
  }
  deadline_ = clock::now() + idle_time;
}

/// A client that still sends when we close gets a reset and may lose our answer: read on for a
/// while.
asio::awaitable<void> session::linger() {
  boost::system::error_code ec;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  deadline_ = clock::now() + linger_time;
  std::array<char, 16384> sink{};
  std::size_t seen = 0;
  while (!ec && seen < linger_bytes)
    seen += co_await socket_.async_read_some(asio::buffer(sink), redirect_error(use_awaitable, ec));
}

} // namespace jobrunner::http
