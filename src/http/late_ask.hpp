// How late answers wait: for an actor.
#pragma once

#include "actors/ask.hpp"
#include "http/types.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

namespace jobrunner::http {

/// The wait() of a late_answer: when `done` is called, `into` holds what `dst` says to `xs...`.
template <class Handle, class Reply, class... Ts>
void ask_late(const asio::any_io_executor& ex, asio::cancellation_slot cancelled,
              std::function<void()> done, caf::expected<Reply>& into, const Handle& dst,
              std::chrono::steady_clock::duration patience, Ts... xs) {
  ask_then(ex, dst, patience,
           asio::bind_cancellation_slot(cancelled,
                                        [&into, done = std::move(done)](caf::expected<Reply> got) {
                                          into = std::move(got);
                                          done();
                                        }),
           std::move(xs)...);
}

} // namespace jobrunner::http
