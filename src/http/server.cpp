#include "http/server.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "http/peer.hpp"
#include "http/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace jobrunner::http {

namespace {
using asio::ip::tcp;
using namespace std::chrono_literals;
constexpr int backlog = 1024;
} // namespace

server::server(asio::io_context& io, const context& with)
    : io_(io),
      with_(with),
      acceptor_(io),
      guesses_(with.settings.max_wrong_tokens) {
  const auto& c = with.settings;
  try {
    const tcp::endpoint where{asio::ip::make_address(c.bind_address), c.port};
    acceptor_.open(where.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(where);
    acceptor_.listen(backlog);
  } catch (const boost::system::system_error& e) {
    throw failure(errc::invalid, "cannot listen on JR_BIND=" + c.bind_address + " JR_PORT=" +
                                     std::to_string(c.port) + ": " + e.code().message());
  }
  asio::co_spawn(io_, accept(), asio::detached);
}

server::~server() = default;

std::uint16_t server::port() const {
  return acceptor_.local_endpoint().port();
}

asio::awaitable<void> server::accept() {
  while (acceptor_.is_open()) {
    boost::system::error_code ec;
    auto socket = co_await acceptor_.async_accept(asio::make_strand(io_),
                                                  asio::redirect_error(asio::use_awaitable, ec));
    if (ec == asio::error::operation_aborted)
      break;
    if (ec) { // out of descriptors, say: others will be given back
      log("http", "not_accepted", {{"why", ec.message()}});
      asio::steady_timer soon{io_, 100ms};
      co_await soon.async_wait(asio::use_awaitable);
      continue;
    }
    const auto peer = network_of(socket.remote_endpoint(ec).address());
    if (ec || !has_room(peer))
      continue; // closes it: it is gone already, or there is no room even for an answer
    const auto one =
        std::make_shared<session>(tcp::socket{std::move(socket)}, peer, with_, guesses_);
    {
      const std::lock_guard lock{guard_};
      sessions_.insert(one);
      ++by_peer_[peer];
    }
    asio::post(one->executor(), [this, one] { one->start([this](session& s) { forget(s); }); });
  }
}

bool server::has_room(const asio::ip::address& peer) const {
  const std::lock_guard lock{guard_};
  const auto found = by_peer_.find(peer);
  return sessions_.size() < with_.settings.max_connections &&
         (found == by_peer_.end() || found->second < with_.settings.max_connections_per_address);
}

void server::forget(session& one) {
  const std::lock_guard lock{guard_};
  sessions_.erase(one.shared_from_this());
  const auto found = by_peer_.find(one.peer());
  if (--found->second == 0)
    by_peer_.erase(found);
}

std::vector<std::shared_ptr<session>> server::all() const {
  const std::lock_guard lock{guard_};
  return {sessions_.begin(), sessions_.end()};
}

std::size_t server::sessions() const {
  const std::lock_guard lock{guard_};
  return sessions_.size();
}

void server::drain() {
  asio::post(io_, [this] {
    boost::system::error_code ec;
    acceptor_.close(ec);
  });
  for (const auto& one : all())
    asio::post(one->executor(), [one] { one->drain(); });
}

void server::close_all() {
  for (const auto& one : all())
    asio::post(one->executor(), [one] { one->close(); });
}

} // namespace jobrunner::http
