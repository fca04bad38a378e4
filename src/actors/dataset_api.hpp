// Datasets and the uploads that become some, as their actors' callers see them.
#pragma once

#include "actors/atoms.hpp"
#include "core/sha256.hpp"
#include "core/types.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jobrunner {

/// An upload that is complete and durable in its staging folder, waiting for its name.
struct arrival {
  std::string staging;  // as answered to `begin`
  std::string sha256;   // of all bytes received
  std::string filename; // safe; the file in staging/data/, unless extracted
  bool extracted = false;
  std::int64_t bytes = 0;
};

/// What people say about a dataset; what is left out stays as it is.
struct dataset_edit {
  std::optional<std::vector<std::string>> tags; // without commas
  std::optional<std::string> note;
  std::optional<bool> pinned;
};

/// What hashing a dataset's files again has shown.
struct dataset_check {
  std::string sha256;
  timestamp created_at{}; // of the dataset that was looked at
  timestamp began{};
  std::string damage; // in words; empty: they are as they were
};

using dataset_actor = caf::typed_actor<
    // A new staging folder, for an upload of about so many bytes (0: not known).
    // too_many, disk_full.
    caf::replies_to<atom::begin, std::uint64_t>::with<std::string>,
    // Makes it a dataset; the one that is there already if the content is known.
    caf::replies_to<atom::commit, arrival>::with<dataset>,
    // The upload of that staging folder is over; what is left of it may go.
    caf::reacts_to<atom::abort, std::string>,
    // By sha256; the dataset as it is then. not_found.
    caf::replies_to<atom::edit, std::string, dataset_edit>::with<dataset>,
    // By sha256; the dataset as it was. not_found, conflict (a job needs it).
    caf::replies_to<atom::remove, std::string>::with<dataset>,
    // From the scrubber.
    caf::reacts_to<atom::check, dataset_check>,
    // INTERNAL: the clock.
    caf::reacts_to<atom::tick>>;

using scrubber_actor = caf::typed_actor<
    // By sha256; before all others.
    caf::reacts_to<atom::check, std::string>,
    // INTERNAL: the next step.
    caf::reacts_to<atom::tick>>;

/// Removes folders that nobody sees any more, which may take minutes.
using cleaner_actor = caf::typed_actor<caf::reacts_to<atom::discard, std::string>>;

/// Who may append to a resumable upload, until it says how far it came.
struct upload_lease {
  upload now;
  std::filesystem::path file;
  std::shared_ptr<running_hash> hash; // of the bytes before now.offset if at == now.offset
};

using upload_actor = caf::typed_actor<
    // A new one. disk_full, too_many; for a final one also invalid, conflict (parts not complete).
    caf::replies_to<atom::begin, upload>::with<upload>,
    // not_found, gone.
    caf::replies_to<atom::get, std::string>::with<upload>,
    // The same once it is neither receiving nor processing, or the patience is over.
    caf::replies_to<atom::wait, std::string, std::chrono::milliseconds>::with<upload>,
    // To append at that offset. not_found, gone, conflict (another offset, or complete),
    // forbidden (a final one), locked, unavailable (too many at once).
    caf::replies_to<atom::lock, std::string, std::uint64_t>::with<upload_lease>,
    // From whoever has the lease: so much is on the disk by now.
    caf::reacts_to<atom::advance, std::string, std::uint64_t>,
    // Likewise, and the lease is over.
    caf::replies_to<atom::commit, std::string, std::uint64_t>::with<upload>,
    // Ends it; its bytes go. not_found, gone, locked, conflict (being processed).
    caf::replies_to<atom::remove, std::string>::with<upload>,
    // INTERNAL: the clock.
    caf::reacts_to<atom::tick>,
    // INTERNAL: the patience of one waiter is over.
    caf::reacts_to<atom::expire, std::uint64_t>>;

/// A resumable upload whose bytes have all come.
struct upload_whole {
  upload now;
  std::vector<std::filesystem::path> files; // its bytes, one after the other
  std::string sha256;                       // of them; empty: not known
};

/// Makes a dataset of one, and ends.
using finisher_actor = caf::typed_actor<
    // invalid (another sha256), unprocessable, disk_full, too_many.
    caf::replies_to<atom::commit, upload_whole>::with<dataset>>;

} // namespace jobrunner

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::arrival)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::dataset)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::dataset_check)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::dataset_edit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::upload)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::upload_lease)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jobrunner::upload_whole)
