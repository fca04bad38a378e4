// Accepts connections, keeps count of them, and ends them in good order.
#pragma once

#include "http/types.hpp"
#include "http/wrong_tokens.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace jobrunner::http {

class session;

class server {
public:
  /// Listens at once; serves when `io` runs. Throws failure{invalid} if the address cannot be had.
  server(asio::io_context& io, const context& with);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  std::uint16_t port() const;

  /// Accepts nobody any more and asks every session to end. Thread-safe.
  void drain();
  /// Closes what is left. Thread-safe.
  void close_all();
  std::size_t sessions() const;

private:
  asio::awaitable<void> accept();
  void forget(session& one);
  bool has_room(const asio::ip::address& peer) const;
  std::vector<std::shared_ptr<session>> all() const;

  asio::io_context& io_;
  const context& with_;
  asio::ip::tcp::acceptor acceptor_;
  wrong_tokens guesses_;
  mutable std::mutex guard_;
  std::set<std::shared_ptr<session>> sessions_;
  std::map<asio::ip::address, unsigned> by_peer_; // how many of them, by network_of
};

} // namespace jobrunner::http
