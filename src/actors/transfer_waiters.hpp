// Who waits for an import or export to change: one small entry each.
#pragma once

#include "actors/api.hpp"

#include <caf/actor_addr.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace jobrunner {

class transfer_waiters {
public:
  using promise = caf::typed_response_promise<transfer>;

  /// The key under which the wait can expire.
  std::uint64_t add(const transfer_wait&, const caf::actor_addr& asker, promise reply);
  void settle(const transfer& now);                    // answers those whose wait is over
  void expire(std::uint64_t key, const transfer& now); // answers with it as it is
  std::optional<std::string> transfer_of(std::uint64_t key) const;
  void gone(const caf::actor_addr& asker); // its client hung up
  std::size_t size() const noexcept { return waiting_.size(); }

private:
  struct waiter {
    transfer_wait what;
    caf::actor_addr asker;
    promise reply;
  };
  std::map<std::uint64_t, waiter> waiting_;
  std::uint64_t next_ = 1;
};

/// Whether a wait is over for a transfer as it is now.
bool satisfied(const transfer_wait&, const transfer& now);

} // namespace jobrunner
