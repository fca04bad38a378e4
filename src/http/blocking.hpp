// Work that may block, off the io threads.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace jobrunner::http {

/// Runs `f` on the pool and resumes the coroutine where it was; what `f` throws comes through.
/// Not cancellable: whoever is cancelled meanwhile waits until `f` is over, so that what `f` uses
/// may live in the coroutine.
template <class F>
boost::asio::awaitable<std::invoke_result_t<F>> on(boost::asio::thread_pool& pool, F f) {
  using value = std::invoke_result_t<F>;
  using kept = std::conditional_t<std::is_void_v<value>, bool, value>;
  std::optional<kept> result;
  std::exception_ptr failed;
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      [&](auto done) {
        auto back = boost::asio::get_associated_executor(done);
        boost::asio::post(pool, [&result, &failed, &f, back, done = std::move(done)]() mutable {
          try {
            if constexpr (std::is_void_v<value>) {
              f();
              result = true;
            } else {
              result.emplace(f());
            }
          } catch (...) {
            failed = std::current_exception();
          }
          boost::asio::post(back, std::move(done));
        });
      },
      boost::asio::use_awaitable);
  if (failed)
    std::rethrow_exception(failed);
  if constexpr (!std::is_void_v<value>)
    co_return std::move(*result);
}

} // namespace jobrunner::http
