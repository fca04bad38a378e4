// Who guesses tokens, and how long each of them has to wait. Right tokens never come here: they
// work at once, whatever others at the same address did.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>

namespace jobrunner::http {

class wrong_tokens {
public:
  using clock = std::chrono::steady_clock;

  /// `free`: wrong tokens of one address before it has to wait.
  explicit wrong_tokens(unsigned free) : free_(free) {}

  /// Counts one of `from` (see network_of). How long it is to wait before the next; 0 if it did
  /// not have to wait for this one. The first wait takes a second, each further one twice as long
  /// up to a minute; ten quiet minutes are forgiven. Thread-safe.
  std::chrono::seconds count(const boost::asio::ip::address& from, clock::time_point now);

  /// Addresses remembered: never more than `most`, those that were quiet longest go first.
  std::size_t size() const;
  static constexpr std::size_t most = 4096;

private:
  struct guesser {
    unsigned wrong = 0;
    clock::time_point last, until; // the latest counted; when the next may come
  };
  void make_room(clock::time_point now);

  const unsigned free_;
  mutable std::mutex guard_;
  std::map<boost::asio::ip::address, guesser> known_;
};

} // namespace jobrunner::http
