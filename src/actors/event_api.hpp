// What has happened to jobs, and how far their webhooks know, as actors' callers see it.
#pragma once

#include "actors/atoms.hpp"
#include "core/types.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jobrunner {

/// Which events to read.
struct event_query {
  std::int64_t job_id = 0; // 0: of all jobs
  std::int64_t after = 0;  // as in event_wait
  std::int64_t limit = 100;
};

struct event_page {
  std::vector<job_event> items; // oldest first
  std::int64_t newest = 0;      // the job's seq; of all jobs the newest n
  bool over = false;            // of a job: nothing will follow these
};

using event_actor = caf::typed_actor<
    // A job of before there were events has one, of its present state. not_found.
    caf::replies_to<atom::list, event_query>::with<event_page>>;

/// How far the events of a job have come to its webhook.
struct webhook_view {
  std::string state =
      "pending"; // or delivered (all there are), stopped (by a 410), failed (given up)
  std::int64_t delivered_seq = 0;    // of the last event that was taken
  std::int64_t tries = 0;            // of the next one, all in vain
  std::optional<timestamp> next_try; // of it
  std::string error;                 // of its last try, in words
};

using webhook_actor = caf::typed_actor<
    // From the registry: the job has an event more.
    caf::reacts_to<atom::hint, std::int64_t>,
    // Of a job that has a webhook_url.
    caf::replies_to<atom::get, std::int64_t>::with<webhook_view>,
    // What receivers check signatures with, "whsec_...".
    caf::replies_to<atom::get>::with<std::string>,
    // INTERNAL: the clock.
    caf::reacts_to<atom::tick>>;

} // namespace jobrunner

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::event_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::event_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::webhook_view)
