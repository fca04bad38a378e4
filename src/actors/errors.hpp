// failure in mailboxes: caf::error carries our errc and the sentence.
#pragma once

#include "core/error.hpp"

#include <caf/error.hpp>
#include <caf/make_message.hpp> // CAF_ERROR_CODE_ENUM needs it but does not include it
#include <caf/result.hpp>

#include <type_traits>

CAF_ERROR_CODE_ENUM(jobrunner::errc, "jobrunner")

namespace jobrunner {

/// The exception in flight as a `caf::error`. Call inside a catch block only.
caf::error current_error();

/// The `failure` a `caf::error` stands for; CAF's own codes become `unavailable` or `internal`.
failure to_failure(const caf::error&);

/// Runs `f` in a message handler. An exception that leaves a handler ends the
/// actor (CAF 0.17.6, scheduled_actor.cpp `handle_exception`); this answers instead.
template <class F>
caf::result<std::invoke_result_t<F>> answer(F f) {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      f();
      return caf::unit;
    } else {
      return f();
    }
  } catch (...) {
    return current_error();
  }
}

/// The same for an `f` that answers later, or at once: one that returns caf::result itself.
template <class F>
std::invoke_result_t<F> answered(F f) {
  try {
    return f();
  } catch (...) {
    return current_error();
  }
}

/// Delivers what `f` returns, or the failure that it throws.
template <class Promise, class F>
void fulfil(Promise& promise, F f) {
  try {
    promise.deliver(f());
  } catch (...) {
    promise.deliver(current_error());
  }
}

} // namespace jobrunner
