// A stage for actors: no threads, no real time. The test is the scheduler.
#pragma once

#include "actors/ask.hpp"
#include "core/error.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <vector>

namespace jobrunner {

/// What became of a coroutine; neither as long as it waits.
template <class T>
struct outcome {
  std::optional<T> value;
  std::optional<failure> error;
  boost::asio::cancellation_signal hang_up;
  bool over() const { return value || error; }
};

struct stage : testing::Test {
  struct config : caf::actor_system_config {
    config() { set("scheduler.policy", caf::atom("testing")); }
  } cfg;
  boost::asio::io_context io;
  caf::actor_system sys{cfg};
  caf::scheduler::test_coordinator& sched =
      dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());

  /// Nobody is left waiting: a question that is never answered would keep itself for ever.
  ~stage() override {
    for (const auto& end : ends_)
      end();
    io.restart();
    io.poll();
  }

  /// Lets coroutines and actors run until both are idle.
  void settle() {
    do {
      io.restart();
      io.poll();
    } while (sched.run() > 0);
    io.restart();
    io.poll();
  }

  /// For actors' timers; those of `ask` have a real clock.
  void pass(std::chrono::seconds s) {
    sched.advance_time(s);
    settle();
  }

  /// Starts a coroutine and lets it run as far as it gets.
  template <class T>
  std::shared_ptr<outcome<T>> start(boost::asio::awaitable<T> task) {
    auto result = std::make_shared<outcome<T>>();
    boost::asio::co_spawn(
        io, std::move(task),
        boost::asio::bind_cancellation_slot(result->hang_up.slot(),
                                            [result](const std::exception_ptr& p, T value) {
                                              try {
                                                if (p)
                                                  std::rethrow_exception(p);
                                                result->value = std::move(value);
                                              } catch (const failure& f) {
                                                result->error = f;
                                              }
                                            }));
    ends_.push_back([task_of = std::weak_ptr{result}] {
      if (const auto r = task_of.lock(); r && !r->over())
        r->hang_up.emit(boost::asio::cancellation_type::terminal);
    });
    settle();
    return result;
  }

  template <class Handle>
  void stop(const Handle& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    settle();
  }

private:
  std::vector<std::function<void()>> ends_;
};

} // namespace jobrunner
