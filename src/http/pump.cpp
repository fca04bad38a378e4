#include "http/pump.hpp"

#include "core/error.hpp"

namespace jobrunner::http {

namespace {
constexpr std::size_t bytes_at_once = 512U << 10U;
}

pump::pump(body_stream& body, asio::thread_pool& pool, const asio::any_io_executor& home)
    : body_(body),
      work_(pool, home),
      buffers_{std::vector<char>(bytes_at_once), std::vector<char>(bytes_at_once)} {}

asio::awaitable<void> pump::run(std::uint64_t most, sink to) {
  std::exception_ptr failed;
  try {
    co_await receive(most, to);
  } catch (...) {
    failed = std::current_exception();
  }
  try {
    co_await work_.wait();
  } catch (...) {
    failed = std::current_exception();
  }
  if (failed)
    std::rethrow_exception(failed);
  if (broken_)
    std::rethrow_exception(broken_);
}

asio::awaitable<void> pump::receive(std::uint64_t most, const sink& to) {
  std::uint64_t received = 0;
  for (std::size_t turn = 0; !broken_; ++turn) {
    auto& buffer = buffers_.at(turn % 2);
    const auto n = co_await fill(buffer);
    if (n == 0 && turn > 0) // a body without bytes is one, too
      break;
    received += n;
    if (received > most)
      throw failure(errc::too_large, "the body is longer than the " + std::to_string(most) +
                                         " bytes that are allowed");
    auto work = to({buffer.data(), n});
    co_await work_.wait(); // for the other buffer
    work_.start(std::move(work));
  }
}

/// A full buffer if there is that much: small pieces would cost a switch of threads each.
asio::awaitable<std::size_t> pump::fill(std::span<char> buffer) {
  std::size_t have = 0;
  try {
    while (have < buffer.size()) {
      const auto n = co_await body_.read(buffer.subspan(have));
      if (n == 0)
        break;
      have += n;
    }
  } catch (...) {
    broken_ = std::current_exception();
  }
  co_return have;
}

asio::awaitable<void> pump::last(std::function<void()> work) {
  work_.start(std::move(work));
  co_await work_.wait();
}

} // namespace jobrunner::http
