#include "http/session.hpp"

#include "core/log.hpp"
#include "core/sha256.hpp"
#include "http/body.hpp"
#include "http/problem.hpp"
#include "http/request_head.hpp"
#include "http/stream_sink.hpp"
#include "http/text/ascii.hpp"
#include "http/text/request_check.hpp"
#include "http/text/urlencoded.hpp"
#include "http/transfer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/write.hpp>

#include <cerrno>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;
using asio::redirect_error;
using asio::use_awaitable;

constexpr auto header_time = 10s;
constexpr auto idle_time = 60s;
constexpr auto look_every = 5s; // how much later than its deadline a connection may end
constexpr auto write_time = 60s;
constexpr auto linger_time = 5s;
constexpr auto guess_time = 1s; // that the answer to a guess takes when there were too many
constexpr std::size_t linger_bytes = 64U << 20U;
constexpr std::uint32_t largest_header = 16 * 1024;
constexpr std::size_t buffer_bytes = 32768; // a header, or a chunk's head with its extensions

struct outcome {
  response answer;
  std::exception_ptr failed;
};

/// `||` waits on for the other side when one throws: a handler's failure is an outcome like others.
asio::awaitable<outcome> attempt(handler handle, exchange& x) {
  outcome o;
  try {
    o.answer = co_await handle(x);
  } catch (...) {
    o.failed = std::current_exception();
  }
  co_return o;
}

asio::awaitable<void> attempt(const body_source& rest, body_sink& sink,
                              std::exception_ptr& failed) {
  try {
    co_await rest(sink);
  } catch (...) {
    failed = std::current_exception();
  }
}

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// A request without one does not guess: it does not know that it needs one.
bool names_a_token(const beast::fields& headers) {
  return headers.count(beast::field::authorization) > 0 || headers.count("X-API-Key") > 0;
}

unsigned status_of(const boost::system::error_code& ec) {
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
}

void session::close() {
  boost::system::error_code ec;
  socket_.close(ec);
  alarm_.cancel();
}

void session::drain() {
  draining_ = true;
  if (idle_)
    close();
  else if (waits_)
    socket_.cancel();
}

/// Closes the connection when its deadline has passed, or a little later. Moving a deadline costs
/// an assignment: the alarm looks when the one it knows is over, and every few seconds in case a
/// nearer one was set.
asio::awaitable<void> session::watch() {
  const auto self = shared_from_this();
  while (socket_.is_open()) {
    const auto until = deadline_;
    if (until <= clock::now()) {
      close();
      break;
    }
    alarm_.expires_at(std::min(until, clock::now() + look_every));
    boost::system::error_code ec;
    co_await alarm_.async_wait(redirect_error(use_awaitable, ec));
  }
}

asio::awaitable<void> session::run() {
  const auto self = shared_from_this();
  asio::co_spawn(socket_.get_executor(), watch(), asio::detached);
  try {
    for (;;) {
      const bool again = co_await serve_one();
      if (!again)
        break;
    }
  } catch (const std::exception&) {
    // The client is gone, or was too slow: there is nobody to tell.
  }
  close();
}

asio::awaitable<bool> session::serve_one() {
  const bool complete = co_await read_header();
  if (!complete)
    co_return false;
  idle_ = false;
  deadline_ = clock::now() + idle_time;
  const bool head = parser_->get().method() == beast::verb::head;
  auto refused = refuse_framing();
  const bool broken = refused.has_value();
  response res = broken ? std::move(*refused) : response{};
  if (!broken)
    res = co_await answer();
  // After a 400 nobody can be sure that both sides agree on where the next request begins.
  const bool clear = !broken && res.message.result() != beast::status::bad_request;
  const bool chunked = res.rest && parser_->get().version() >= 11;
  const bool keep = clear && !draining_ && body_->over() && parser_->get().keep_alive() &&
                    (res.rest ? chunked : !res.message.need_eof());
  res.message.version(11);
  res.message.keep_alive(keep);
  if (res.rest)
    res.message.chunked(chunked);
  co_await write(res, head);
  if (!keep) {
    co_await linger();
    co_return false;
  }
  body_.reset();
  parser_.reset();
  idle_ = true;
  co_return !draining_;
}

/// False if the connection is to be closed: the client is gone, or was told what is wrong.
asio::awaitable<bool> session::read_header() {
  parser_.emplace();
  parser_->header_limit(largest_header);
  parser_->body_limit(boost::none); // each route has its own
  if (buffer_.size() == 0) {
    boost::system::error_code gone;
    co_await socket_.async_wait(asio::ip::tcp::socket::wait_read,
                                redirect_error(use_awaitable, gone));
    if (gone)
      co_return false;
  }
  deadline_ = clock::now() + header_time;
  const auto head = co_await read_head(socket_, buffer_, *parser_);
  folded_ = head.folded;
  const auto ec = head.error;
  if (!ec)
    co_return true;
  if (ec == beast::error::end_of_stream ||
      ec.category() != make_error_code(beast::error::bad_method).category())
    co_return false;
  auto res = problem(status_of(ec), "the request cannot be read: " + ec.message());
  res.message.keep_alive(false);
  co_await write(res, false);
  co_await linger();
  co_return false;
}

std::optional<response> session::refuse_framing() const {
  const auto& req = parser_->get();
  framing seen;
  seen.version = req.version();
  seen.target = view(req.target());
  for (const auto& f : req)
    seen.headers.emplace_back(view(f.name_string()), view(f.value()));
  seen.folded = folded_;
  const auto bad = check_framing(seen);
  if (!bad)
    return std::nullopt;
  return problem(bad->status, bad->detail);
}

/// Throws failure{unauthorized, forbidden}.
void session::authorise() const {
  if (with_.settings.default_token && !peer_.is_loopback())
    throw failure(errc::forbidden,
                  "this server still has the token change-me, with which it serves its own "
                  "machine alone: set JR_AUTH_TOKEN and start it again");
}

asio::awaitable<response> session::answer() {
  const auto& req = parser_->get();
  const auto began = clock::now();
  const auto verb = req.method();
  const std::string target{view(req.target())};
  body_.emplace(socket_, buffer_, *parser_, deadline_);
  response res;
  bool guessed = false;
  try {
    authorise();
    const auto parts = split_target(target);
    const auto found = find_route(verb, parts.path);
    const auto* hit = std::get_if<matched>(&found);
    if (!hit || hit->to.needs == auth::token)
      check_token(req, with_.settings.token);
    if (const auto* wrong = std::get_if<not_allowed>(&found)) {
      res = problem(405, "this path takes " + wrong->allow);
      res.message.set(beast::field::allow, wrong->allow);
    } else if (!hit) {
      res =
          problem(404, "there is nothing at this path; GET /openapi.json describes what there is");
    } else {
      res = co_await dispatch(*hit, parts.query);
    }
  } catch (const failure& f) {
    res = problem(f);
    guessed = f.code() == errc::unauthorized && names_a_token(req);
  } catch (const boost::system::system_error&) {
    throw; // the connection broke
  } catch (const std::exception& e) {
    res = problem(failure(errc::internal, std::string{"unexpected: "} + e.what()));
  }
  if (guessed)
    co_await count_guess(res);
  if (verb != beast::verb::get && verb != beast::verb::head)
    log("http", "answered",
        {{"method", std::string{view(req.method_string())}},
         {"target", target},
         {"status", std::to_string(res.message.result_int())},
         {"ms",
          std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began)
                             .count())}});
  co_return res;
}

/// Makes the answer to a wrong token a late 429 where its address has sent too many. The delay is
/// what limits guessing: the right token is let in at any time, so each guess has to be looked at.
asio::awaitable<void> session::count_guess(response& res) {
  const auto wait = guesses_.count(peer_, clock::now());
  if (wait == 0s)
    co_return;
  asio::steady_timer late{socket_.get_executor(), guess_time};
  boost::system::error_code ec;
  co_await late.async_wait(redirect_error(use_awaitable, ec));
  res = problem(429, "too many wrong tokens came from this address; the right one works at once");
  res.message.set(beast::field::retry_after, std::to_string(wait.count()));
}

asio::awaitable<response> session::dispatch(const matched& found, std::string_view query) {
  using namespace asio::experimental::awaitable_operators;
  exchange x{with_,      parser_->get().base(),
             found.args, fields::from_pairs(parse_urlencoded(query)),
             {},         *body_};
  if (found.to.body == takes::fields)
    x.form = co_await read_fields();
  const bool may_wait =
      found.to.verb == beast::verb::get && (x.query.has("wait") || x.headers.count("Prefer") > 0);
  if (!may_wait) {
    deadline_ = clock::time_point::max(); // handlers bound themselves; reading a body sets it again
    auto res = co_await found.to.handle(x);
    co_return res;
  }
  // Only here is the socket watched meanwhile: it would cost every other request half its speed.
  waits_ = true;
  deadline_ = clock::time_point::max();
  auto first = co_await (attempt(found.to.handle, x) || until_interrupted());
  waits_ = false;
  if (auto* outcome = std::get_if<0>(&first)) {
    if (outcome->failed)
      std::rethrow_exception(outcome->failed);
    co_return std::move(outcome->answer);
  }
  if (!draining_)
    throw boost::system::system_error(asio::error::eof);
  co_return problem(503, "the server is being stopped; ask again");
}

/// Returns when the client has hung up, or drain() has cancelled the wait.
asio::awaitable<void> session::until_interrupted() {
  boost::system::error_code ec;
  for (bool waiting = true; waiting;) {
    co_await socket_.async_wait(asio::ip::tcp::socket::wait_read,
                                redirect_error(use_awaitable, ec));
    char next = 0;
    const auto n = ec ? 0 : ::recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool false_alarm = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (n <= 0 && !false_alarm)
      co_return;
    waiting = false_alarm;
  }
  // A pipelined request: it waits for its turn, and we cannot see a hang-up behind it.
  asio::steady_timer never{socket_.get_executor(), clock::time_point::max()};
  co_await never.async_wait(redirect_error(use_awaitable, ec));
}

asio::awaitable<fields> session::read_fields() {
  const auto limit = largest_form;
  if (body_->length().value_or(0) > limit)
    throw failure(errc::too_large, "the body has " + std::to_string(*body_->length()) +
                                       " bytes; this call takes at most " + std::to_string(limit));
  std::string body;
  std::array<char, 16384> piece{};
  for (;;) {
    const auto n = co_await body_->read(piece);
    if (n == 0)
      break;
    if (body.size() + n > limit)
      throw failure(errc::too_large, "the body is larger than " + std::to_string(limit) + " bytes");
    body.append(piece.data(), n);
  }
  co_return parse_form(view(parser_->get()[beast::field::content_type]), body);
}

asio::awaitable<void> session::write(response& res, bool head) {
  deadline_ = clock::now() + write_time;
  beast::response_serializer<beast::string_body> serializer{res.message};
  if (head || res.file || res.rest) {
    co_await beast::async_write_header(socket_, serializer, use_awaitable);
    if (res.rest && !head)
      co_await stream(res.rest, res.message.chunked());
    else if (res.file && !head)
      co_await send_file(socket_, *res.file, with_.files,
                         [this] { deadline_ = clock::now() + write_time; });
  } else {
    co_await beast::async_write(socket_, serializer, use_awaitable);
  }
  deadline_ = clock::now() + idle_time;
}

/// Until the source is done. A client that hangs up and a server that stops end it in the middle.
asio::awaitable<void> session::stream(const body_source& rest, bool chunked) {
  using namespace asio::experimental::awaitable_operators;
  stream_sink sink{socket_, chunked, [this](bool busy) {
                     deadline_ = busy ? clock::now() + write_time : clock::time_point::max();
                   }};
  waits_ = true;
  deadline_ = clock::time_point::max();
  std::exception_ptr failed;
  const auto first = co_await (attempt(rest, sink, failed) || until_interrupted());
  waits_ = false;
  if (failed)
    std::rethrow_exception(failed);
  if (first.index() == 1)
    throw boost::system::system_error(asio::error::eof);
  co_await sink.end();
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
