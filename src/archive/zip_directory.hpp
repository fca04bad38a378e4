// How many entries a zip says it has. libarchive passes over records of the directory that are
// damaged, and over several that point at the same bytes, without a word; counting finds out.
#pragma once

#include "archive/budget.hpp"

#include <cstdint>

namespace jobrunner::archive {

/// The entries that the end record of the zip in `fd` promises (APPNOTE.TXT 4.3.14 to 4.3.16); its
/// size counts as consumed in `spent`. Throws failure: unprocessable (no zip, or not one file on
/// one disk), internal (not a regular file, or it cannot be read).
std::uint64_t zip_entries(int fd, budget& spent);

/// Whether `seen` entries fit the promise: some writers count modulo 65,536.
bool same_count(std::uint64_t promised, std::uint64_t seen);

} // namespace jobrunner::archive
