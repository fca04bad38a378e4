// A body that is received while what came before is worked on: two buffers take turns, whatever the
// size.
#pragma once

#include "http/background.hpp"
#include "http/types.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace jobrunner::http {

class pump {
public:
  /// Is told what has been received, on the connection's thread, and gives what is to be done with
  /// it on the pool. The bytes are valid until that is over.
  using sink = std::function<std::function<void()>(std::span<const char>)>;

  pump(body_stream& body, asio::thread_pool& pool, const asio::any_io_executor& home);

  /// Until the body is over and all work done; `to` is called at least once. Where the body breaks
  /// off, what came of it is still worked on. Throws what reading and working throws, and
  /// failure{too_large} for more than `most` bytes; no work is under way then.
  asio::awaitable<void> run(std::uint64_t most, sink to);

  /// One more piece of work on the pool.
  asio::awaitable<void> last(std::function<void()> work);

private:
  asio::awaitable<void> receive(std::uint64_t most, const sink& to);
  asio::awaitable<std::size_t> fill(std::span<char> buffer);

  body_stream& body_;
  background work_;
  std::exception_ptr broken_; // how the body ended before its time
  std::array<std::vector<char>, 2> buffers_;
};

} // namespace jobrunner::http
