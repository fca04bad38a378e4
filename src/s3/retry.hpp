// When to try again, and when to give up.
#pragma once

#include "core/backoff.hpp"
#include "core/error.hpp"

#include <chrono>
#include <stop_token>
#include <utility>

namespace jobrunner::s3 {

/// A service that asks for a pause (503 with Retry-After).
class slow_down : public failure {
public:
  slow_down(const std::string& detail, std::chrono::seconds pause)
      : failure(errc::unavailable, detail),
        pause_(pause) {}
  std::chrono::seconds pause() const noexcept { return pause_; }

private:
  std::chrono::seconds pause_;
};

/// Thrown when somebody asked to stop.
class stopped : public failure {
public:
  stopped() : failure(errc::unavailable, "it was stopped") {}
};

struct patience {
  std::chrono::milliseconds first{200}, longest{10000}; // pauses
  std::chrono::milliseconds total{300000};              // for one request with all its tries
};

/// Waits; throws stopped.
void wait(std::chrono::milliseconds, const std::stop_token&);

/// What `call` returns; tried again as long as it throws failure{unavailable} and the patience
/// lasts. Throws what the last try threw, or stopped.
template <class F>
auto retry(const patience& how, const std::stop_token& stop, F call) {
  const auto end = std::chrono::steady_clock::now() + how.total;
  for (unsigned next = 1;; ++next) {
    std::chrono::milliseconds pause{};
    if (stop.stop_requested())
      throw stopped{};
    try {
      return call();
    } catch (const failure& f) {
      if (stop.stop_requested())
        throw stopped{};
      pause = pause_before(next, chance(), {how.first, how.longest});
      if (const auto* slow = dynamic_cast<const slow_down*>(&f); slow && slow->pause() > pause)
        pause = slow->pause();
      if (f.code() != errc::unavailable || std::chrono::steady_clock::now() + pause > end)
        throw;
    }
    wait(pause, stop);
  }
}

} // namespace jobrunner::s3
