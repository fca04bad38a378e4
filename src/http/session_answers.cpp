// What a request is answered with: its framing and its token checked, its route found and run.
#include "core/log.hpp"
#include "core/sha256.hpp"
#include "http/body.hpp"
#include "http/problem.hpp"
#include "http/session.hpp"
#include "http/text/ascii.hpp"
#include "http/text/request_check.hpp"
#include "http/text/urlencoded.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;
using asio::redirect_error;
using asio::use_awaitable;

constexpr auto guess_time = 1s; // that the answer to a guess takes when there were too many

/// A request without one does not guess: it does not know that it needs one.
bool names_a_token(const beast::fields& headers) {
  return headers.count(beast::field::authorization) > 0 || headers.count("X-API-Key") > 0;
}

} // namespace

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

bool session::refuses(response& res) const {
  auto refused = refuse_framing();
  if (refused)
    res = std::move(*refused);
  return refused.has_value();
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
  body_ = std::make_unique<socket_body>(socket_, buffer_, *parser_, deadline_);
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
  } catch (...) {
    res = problem(std::current_exception());
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
  exchange x{with_,      parser_->get().base(),
             found.args, fields::from_pairs(parse_urlencoded(query)),
             {},         *body_};
  if (found.to.body == takes::fields)
    x.form = co_await read_fields();
  deadline_ = clock::time_point::max(); // handlers bound themselves; reading a body sets it again
  auto res = co_await found.to.handle(x);
  co_return res;
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

} // namespace jobrunner::http
