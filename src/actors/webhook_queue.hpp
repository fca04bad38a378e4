// Whose turn it is: jobs with something to be sent, by receiver, so that one that is slow or dead
// holds back only its own. No rows, no clock, no network.
#pragma once

#include "core/time.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace jobrunner {

class webhook_queue {
public:
  /// At most so many tries at once; a quarter of them for one receiver, one for a receiver of which
  /// nothing good is known, and half of them for all those together whose last try found nobody.
  explicit webhook_queue(unsigned senders) : senders_(senders) {}

  /// `name` is the receiver's. Nothing for a job that waits already or is being sent.
  void add(std::int64_t job, const std::string& name, timestamp due);

  /// The job that has waited longest among those that may be sent now; it is being sent from now
  /// on, and not another time before done().
  std::optional<std::int64_t> take(timestamp now);

  /// Its try is over. `heard`: the receiver answered, well or not. Until `pause` it is left alone.
  void done(std::int64_t job, bool heard, std::optional<timestamp> next, timestamp pause = {});

  /// When take() may give one; nothing: not before another add() or done().
  std::optional<timestamp> next() const;

private:
  enum class standing : std::uint8_t { unknown, good, failing };
  struct receiver {
    std::set<std::pair<timestamp, std::int64_t>> waiting{}; // due, job
    unsigned busy = 0;
    standing known = standing::unknown;
    timestamp pause{};
    timestamp ready() const { return std::max(pause, waiting.begin()->first); }
  };
  using receivers = std::map<std::string, receiver>;
  bool has_room(const receiver&) const;

  unsigned senders_, busy_ = 0, busy_with_failing_ = 0;
  receivers receivers_;
  std::map<std::int64_t, receivers::iterator> jobs_;
};

} // namespace jobrunner
