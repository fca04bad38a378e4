// One connection: read a header, check it, answer, again (session.cpp, where Beast's reads and
// writes are); what the answer is (session_answers.cpp); how it waits (session_waits.cpp).
#pragma once

#include "http/routes.hpp"
#include "http/socket_body.hpp"
#include "http/types.hpp"
#include "http/wrong_tokens.hpp"

#include <boost/asio/cancellation_signal.hpp>
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

  /// Serves until the client goes, breaks a rule, is too slow, or drain() has been called; then
  /// calls `ended`.
  void start(std::function<void(session&)> ended);

  /// Ends the connection after the answer under way; at once if it idles; a wait is cut short.
  void drain();

  /// Closes the socket under whatever runs.
  void close();

  auto executor() { return socket_.get_executor(); }
  const asio::ip::address& peer() const { return peer_; }

private:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds idle_time{60}, write_time{60};

  /// How to answer, once nothing is left of the request.
  struct terms {
    bool head = false;    // a HEAD: no body
    bool modern = false;  // HTTP/1.1
    bool another = false; // its client would keep the connection
  };

  void go_on();
  void park();
  void rest();
  asio::awaitable<void> run();
  asio::awaitable<bool> make_late();
  void set_alarm();
  void look_at_deadline();
  asio::awaitable<bool> read_header();
  asio::awaitable<bool> serve_one();
  asio::awaitable<bool> reply(response res);
  asio::awaitable<response> answer();
  asio::awaitable<response> dispatch(const matched& found, std::string_view query);
  void begin_wait();
  void end_wait();
  void listen();
  void heard(boost::system::error_code ec);
  bool hung_up();
  bool refuses(response& res) const;
  void release();
  asio::awaitable<fields> read_fields();
  asio::awaitable<void> write(response& res, bool head);
  asio::awaitable<void> stream(body_source rest, bool chunked);
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
  std::unique_ptr<request_parser> parser_; // none while its client waits or is quiet
  bool folded_ = false;                    // a line of its header
  std::unique_ptr<socket_body> body_;      // of the request that the parser holds
  terms terms_;
  std::unique_ptr<late_answer> later_; // what its client waits for
  std::function<void(session&)> ended_;
  bool idle_ = true, draining_ = false, alarmed_ = false;
  asio::cancellation_signal interrupt_; // ends what run() awaits
  bool waits_ = false, interrupted_ = false, gone_ = false;
  bool stays_ = false;     // it is to rest when run() has ended
  bool rests_ = false;     // it goes on when its client speaks
  bool listening_ = false; // for its client to speak or hang up; outlives the wait
};

} // namespace jobrunner::http
