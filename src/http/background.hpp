// One piece of blocking work at a time beside a coroutine, which goes on meanwhile.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace jobrunner::http {

class background {
public:
  /// Used on `home` alone, the coroutine's executor.
  background(boost::asio::thread_pool& pool, const boost::asio::any_io_executor& home)
      : pool_(pool),
        event_(home) {}

  /// Starts `f` on the pool. Only after wait(); what `f` uses must live until the next wait().
  template <class F>
  void start(F f) {
    busy_ = true;
    boost::asio::post(pool_, [this, f = std::move(f)]() mutable {
      std::exception_ptr failed;
      try {
        f();
      } catch (...) {
        failed = std::current_exception();
      }
      boost::asio::post(event_.get_executor(), [this, failed] {
        failed_ = failed;
        busy_ = false;
        event_.cancel();
      });
    });
  }

  /// Until the work is over; throws what it threw. Must have returned before this object goes.
  boost::asio::awaitable<void> wait() {
    while (busy_) {
      boost::system::error_code ignored;
      event_.expires_at(boost::asio::steady_timer::time_point::max());
      co_await event_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    if (failed_)
      std::rethrow_exception(std::exchange(failed_, nullptr));
  }

private:
  boost::asio::thread_pool& pool_;
  boost::asio::steady_timer event_;
  std::exception_ptr failed_;
  bool busy_ = false;
};

} // namespace jobrunner::http
