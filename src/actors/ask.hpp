// co_await an actor's reply from an Asio coroutine.
//
// CAF answers actors; Asio resumes coroutines. A reply_slot is both: to CAF an
// actor that takes one message and exits, to Asio one pending operation. It is
// never scheduled and nothing is looked up, so a round trip costs two thread
// hops and one allocation (about 10 us).
//
// The io_context must outlive the actor_system: a late reply still posts to it.
#pragma once

#include "actors/errors.hpp"

#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/expected.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/response_type.hpp>
#include <caf/sec.hpp>
#include <caf/typed_actor.hpp>
#include <caf/unit.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

namespace jobrunner {

namespace asio = boost::asio;

namespace detail {

template <class Outputs>
struct reply_value;
template <class T>
struct reply_value<caf::detail::type_list<T>> {
  using type = T;
};
template <>
struct reply_value<caf::detail::type_list<void>> {
  using type = caf::unit_t;
};

template <class T>
class reply_slot final : public caf::monitorable_actor {
public:
  using result = caf::expected<T>;
  using handler = asio::any_completion_handler<void(result)>;

  reply_slot(caf::actor_config& cfg, const asio::any_io_executor& ex, handler done)
      : monitorable_actor(cfg),
        executor_(ex),
        done_(std::move(done)) {}

  const char* name() const override { return "reply-slot"; }

  /// Starts the clock and listens for cancellation. On the executor only.
  void arm(std::chrono::steady_clock::duration patience) {
    kept_ = hold(); // also when whoever should answer dies without a word
    if (patience != std::chrono::steady_clock::duration::max()) {
      timer_ = std::make_unique<asio::steady_timer>(executor_, patience);
      timer_->async_wait([self = hold()](boost::system::error_code ec) {
        if (!ec && self->claim())
          self->complete(caf::make_error(caf::sec::request_timeout));
      });
    }
    if (auto slot = asio::get_associated_cancellation_slot(done_); slot.is_connected())
      slot.assign([this](asio::cancellation_type) {
        if (claim()) // not from here: the emitter still stands on our frame
          asio::post(executor_, [self = hold()] {
            self->complete(caf::make_error(caf::exit_reason::user_shutdown));
          });
      });
  }

  /// Called by CAF on the thread of whoever answers.
  using monitorable_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    if (what->mid.is_response() && claim())
      asio::post(executor_, [self = hold(), what = std::move(what)] {
        self->complete(decode(what->content()));
      });
  }

private:
  using pointer = caf::intrusive_ptr<reply_slot>;
  friend void intrusive_ptr_add_ref(reply_slot* p) { caf::intrusive_ptr_add_ref(p->ctrl()); }
  friend void intrusive_ptr_release(reply_slot* p) { caf::intrusive_ptr_release(p->ctrl()); }
  pointer hold() { return pointer{this}; }

  /// Reply, deadline and cancellation race; the first to claim completes.
  bool claim() { return !claimed_.exchange(true, std::memory_order_acq_rel); }

  void complete(result value) {
    const auto until_the_end = std::exchange(kept_, {});
    if (timer_)
      timer_->cancel();
    if (auto slot = asio::get_associated_cancellation_slot(done_); slot.is_connected())
      slot.clear();
    cleanup(caf::make_error(caf::exit_reason::normal), nullptr); // tells whoever monitors us
    std::move(done_)(std::move(value));
  }

  static result decode(caf::type_erased_tuple& message) {
    if (message.match_elements<caf::error>())
      return message.get_as<caf::error>(0);
    if constexpr (std::is_same_v<T, caf::unit_t>)
      return caf::unit;
    else if (!message.match_elements<T>())
      return caf::make_error(caf::sec::unexpected_response);
    else if (message.shared())
      return message.get_as<T>(0);
    else
      return std::move(message.get_mutable_as<T>(0));
  }

  asio::any_io_executor executor_;
  std::unique_ptr<asio::steady_timer> timer_; // most memory of a slot, and not all need one
  handler done_;
  std::atomic<bool> claimed_{false};
  pointer kept_; // itself, until it is complete
};

} // namespace detail

/// The patience of whoever asks an actor that itself answers in time, and saves a timer by it.
constexpr auto in_its_time = std::chrono::steady_clock::duration::max();

/// What `Handle` answers to `Ts...`.
template <class Handle, class... Ts>
using reply_t =
    typename detail::reply_value<caf::response_type_t<typename Handle::signatures, Ts...>>::type;

/// Sends `xs...` to `dst`; `done` gets its reply or an error (caf::expected) on `ex`, once, and
/// never before this returns. For whoever waits without a coroutine; cancelled by done's slot.
template <class Handle, class Handler, class... Ts>
void ask_then(const asio::any_io_executor& ex, const Handle& dst,
              std::chrono::steady_clock::duration patience, Handler done, Ts... xs) {
  using slot = detail::reply_slot<reply_t<Handle, Ts...>>;
  auto& sys = dst.home_system();
  caf::actor_config cfg;
  auto self = caf::make_actor<slot, caf::strong_actor_ptr>(sys.next_actor_id(), sys.node(), &sys,
                                                           cfg, ex, std::move(done));
  static_cast<slot*>(self->get())->arm(patience);
  constexpr auto id =
      caf::message_id{1}.with_normal_priority(); // one request per slot: any id will do
  dst->enqueue(caf::make_mailbox_element(std::move(self), id, {}, std::move(xs)...), nullptr);
}

/// What an actor answered. Throws failure, if it is an error.
template <class T>
T value_of(caf::expected<T> reply) {
  if (!reply)
    throw to_failure(reply.error());
  return std::move(*reply);
}

/// Sends `xs...` to `dst` and resumes with its reply.
/// Throws failure: the actor's own, or `unavailable` if `patience` ran out or it is gone.
/// Cancelling the coroutine forgets the reply; the actor finishes its work.
template <class Handle, class... Ts>
asio::awaitable<reply_t<Handle, Ts...>>
ask(Handle dst, std::chrono::steady_clock::duration patience, Ts... xs) {
  using value = reply_t<Handle, Ts...>;
  const asio::any_io_executor ex = co_await asio::this_coro::executor;
  auto reply =
      co_await asio::async_initiate<const asio::use_awaitable_t<>, void(caf::expected<value>)>(
          [&](auto done) {
            ask_then(ex, dst, patience, std::move(done), std::move(xs)...);
            dst = Handle{}; // a parked coroutine must not keep an actor that is told to go
          },
          asio::use_awaitable);
  if constexpr (std::is_same_v<value, caf::unit_t>) { // of which expected holds no copy
    if (!reply)
      throw to_failure(reply.error());
    co_return caf::unit;
  } else {
    co_return value_of(std::move(reply));
  }
}

} // namespace jobrunner
