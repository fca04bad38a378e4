// How a connection waits: without a parser, a read buffer or a timer, listening only for its client
// to hang up; how it then rests; and how its deadline is kept.
#include "http/problem.hpp"
#include "http/session.hpp"
#include "http/stream_sink.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <cerrno>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;

constexpr auto deadline_slack = 5s; // how much later than its deadline a connection may end

} // namespace

/// Moving a deadline costs an assignment: the alarm looks when the one it knows is over, and every
/// few seconds in case a nearer one was set.
void session::set_alarm() {
  if (alarmed_ || !socket_.is_open())
    return;
  alarmed_ = true;
  alarm_.expires_at(std::min(deadline_, clock::now() + deadline_slack));
  alarm_.async_wait(
      [self = shared_from_this()](boost::system::error_code) { self->look_at_deadline(); });
}

void session::look_at_deadline() {
  alarmed_ = false;
  if (deadline_ <= clock::now())
    close();
  else if (!waits_ || deadline_ != clock::time_point::max())
    set_alarm();
}

void session::begin_wait() {
  waits_ = true;
  release();
  deadline_ = clock::time_point::max();
  listen();
}

void session::end_wait() {
  waits_ = false;
  deadline_ = clock::now() + idle_time;
  set_alarm();
}

void session::listen() {
  if (listening_)
    return;
  listening_ = true;
  socket_.async_wait(
      asio::ip::tcp::socket::wait_read,
      [self = shared_from_this()](boost::system::error_code ec) { self->heard(ec); });
}

void session::heard(boost::system::error_code ec) {
  listening_ = false;
  if (waits_ && (ec || hung_up())) {
    gone_ = true;
    interrupt_.emit(asio::cancellation_type::terminal);
  } else if (rests_) {
    const bool gone = ec || hung_up();
    if (!gone && listening_)
      return; // a false alarm
    rests_ = false;
    if (!gone)
      return go_on();
    close();
    ended_(*this);
  }
}

/// What a readable socket means. A request that comes while its client should wait keeps until
/// then; we cannot see a hang-up behind it.
bool session::hung_up() {
  char next = 0;
  const auto n = ::recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    listen(); // a false alarm
    return false;
  }
  return n <= 0;
}

/// Waits for what later_ waits for, without a coroutine.
void session::park() {
  if (draining_) {
    interrupted_ = true;
    return go_on();
  }
  begin_wait();
  later_->wait(executor(), interrupt_.slot(), [self = shared_from_this()] {
    self->end_wait();
    self->go_on();
  });
}

/// Waits for the next request, without a coroutine.
void session::rest() {
  rests_ = socket_.is_open();
  if (rests_)
    listen();
  else
    ended_(*this);
}

/// After a wait: the answer, if there is one now. True if the connection serves on.
asio::awaitable<bool> session::make_late() {
  if (gone_)
    throw boost::system::system_error(asio::error::eof);
  response res;
  bool made = true;
  try {
    if (interrupted_)
      res = problem(503, "the server is being stopped; ask again");
    else
      made = co_await later_->make(res);
  } catch (...) {
    res = problem(std::current_exception());
  }
  if (!made)
    co_return true;
  later_.reset();
  const bool again = co_await reply(std::move(res));
  co_return again;
}

/// Until the source is done. A client that hangs up and a server that stops end it in the middle.
asio::awaitable<void> session::stream(body_source rest, bool chunked) {
  stream_sink sink{socket_, chunked, [this](bool busy) {
                     deadline_ = busy ? clock::now() + write_time : clock::time_point::max();
                     set_alarm();
                   }};
  begin_wait();
  std::exception_ptr failed;
  try {
    co_await rest(sink);
  } catch (...) {
    failed = std::current_exception();
  }
  end_wait();
  if (failed)
    std::rethrow_exception(failed);
  co_await sink.end();
}

} // namespace jobrunner::http
