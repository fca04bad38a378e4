// Imports and exports, as their actor's callers see them.
#pragma once

#include "actors/atoms.hpp"
#include "core/transfer.hpp"
#include "core/types.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jobrunner {

/// What a wait for an import or export waits for.
struct transfer_wait {
  std::string id;
  std::optional<std::int64_t> since_seq; // answer as soon as the sequence number is another one
  std::chrono::milliseconds patience{};  // or this is over; without since: until done
};

struct transfer_query {
  direction way = direction::import;
  std::int64_t cursor = 0; // next_cursor of the page before
  std::int64_t limit = 100;
};

struct transfer_list {
  std::vector<transfer> items;  // newest first
  std::int64_t next_cursor = 0; // 0: the end
};

/// What a task says of its transfer; with a state it is the last word.
struct transfer_report {
  std::string id;
  std::int64_t bytes_done = 0, files_done = 0;
  std::optional<std::int64_t> bytes_total, files_total;
  std::string state, dataset_sha, error_code, error;
};

using importer_actor = caf::typed_actor<
    // A file below JR_B2_MOUNT (relative) or below one of JR_IMPORT_ROOTS (absolute), as a dataset.
    // invalid, not_found, unavailable (no mount), too_many, unprocessable, disk_full.
    caf::replies_to<atom::import, std::string>::with<dataset>,
    // An import from a bucket or an export to one, as it was taken on: durable, and done later.
    // invalid, not_found (the bucket), unprocessable (the key), too_many.
    caf::replies_to<atom::submit, transfer>::with<transfer>,
    // By id. not_found, as the next two.
    caf::replies_to<atom::get, std::string>::with<transfer>,
    // When it has changed, is done, or the patience is over. too_many.
    caf::replies_to<atom::wait, transfer_wait>::with<transfer>,
    // The transfer, which is cancelled now unless it was done.
    caf::replies_to<atom::cancel, std::string>::with<transfer>,
    caf::replies_to<atom::list, transfer_query>::with<transfer_list>,
    // INTERNAL: from the tasks.
    caf::reacts_to<atom::seen, transfer_report>,
    // INTERNAL: the patience of one waiter is over.
    caf::reacts_to<atom::expire, std::uint64_t>>;

} // namespace jobrunner

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::transfer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::transfer_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::transfer_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::transfer_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::transfer_wait)
