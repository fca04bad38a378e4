// Rows of the table webhooks: of each job with a webhook_url how far its events have come. Events
// are not copied: what is to be sent is what the table events holds behind `delivered`.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <optional>
#include <string>
#include <vector>

namespace jobrunner::store {

enum class webhook_state : std::int64_t {
  open = 0,
  stopped = 1, // the receiver wants no more
  failed = 2,  // given up
};

struct webhook {
  std::int64_t job_id = 0;
  std::string url{}, uuid{};                   // the job's
  std::int64_t delivered = 0;                  // seq of the last event that was taken
  std::int64_t tries = 0;                      // of the next one, all in vain
  std::optional<timestamp> first_try{}, due{}; // of the next one; not due: there is none
  webhook_state state = webhook_state::open;
  std::string error{}; // of the last try
};

class webhooks {
public:
  explicit webhooks(sqlite::database& db);

  /// The job has an event more. In the transaction of the event.
  void note(std::int64_t job_id, timestamp at);

  std::vector<webhook> due();                       // all that have something to be sent
  std::optional<webhook> find(std::int64_t job_id); // nothing: the job is deleted, or has none

  /// The event was taken; when the next one is due, if there is one by now.
  std::optional<timestamp> delivered(std::int64_t job_id, std::int64_t seq, timestamp at);

  /// It was not, or nothing more will be sent: writes tries, first_try, due, state and error.
  void update(const webhook&);

private:
  sqlite::statement note_, due_, find_, delivered_, update_;
};

} // namespace jobrunner::store
