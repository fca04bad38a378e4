// One connection: read a header, check it, answer, again. The only file with Beast's reads and
// writes.
#pragma once

#include "http/routes.hpp"
#include "http/socket_body.hpp"
#include "http/types.hpp"
#include "http/wrong_tokens.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace jobrunner::http {

class session final : public std::enable_shared_from_this<session> {
public:
  session(asio::ip::tcp::socket socket, const asio::ip::address& peer, const context& with,
          wrong_tokens& guesses);

  /// Until the client goes, breaks a rule, is too slow, or drain() has been called.
  asio::awaitable<void> run();

  /// Ends the connection after the answer under way; at once if it idles; a wait is cut short.
  void drain();

  /// Closes the socket under whatever runs.
  void close();

  auto executor() { return socket_.get_executor(); }

private:
  using clock = std::chrono::steady_clock;

  asio::awaitable<void> watch();
  asio::awaitable<bool> read_header();
  asio::awaitable<bool> serve_one();
  asio::awaitable<response> answer();
  asio::awaitable<response> dispatch(const matched& found, std::string_view query);
  asio::awaitable<void> until_interrupted();
  asio::awaitable<fields> read_fields();
  asio::awaitable<void> write(response& res, bool head);
  asio::awaitable<void> stream(const body_source& rest, bool chunked);
  asio::awaitable<void> linger();
  std::optional<response> refuse_framing() const;
  void authorise() const;
  asio::awaitable<void> count_guess(response& res);

  asio::ip::tcp::socket socket_;
  const asio::ip::address peer_; // its network_of
  const context& with_;
  wrong_tokens& guesses_;
  asio::steady_timer alarm_;
  clock::time_point deadline_; // the socket is closed when it has passed
  boost::beast::flat_buffer buffer_;
  std::optional<request_parser> parser_;
  bool folded_ = false;             // a line of its header
  std::optional<socket_body> body_; // of the request that the parser holds
  bool idle_ = true, waits_ = false, draining_ = false;
};

} // namespace jobrunner::http
