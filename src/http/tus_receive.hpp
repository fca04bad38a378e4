// Bytes that a client appends to a resumable upload: written and hashed while the next ones arrive,
// and on the disk before they count.
#pragma once

#include "http/types.hpp"

#include <string>

namespace jobrunner::http {

struct appended {
  upload now;
  bool checksum_matches = true; // false: nothing of the body was kept
};

/// The body of the request, behind `offset`. `checksum` is of the body alone; empty: not given.
/// Where the body breaks off, what came of it is kept, unless there is a checksum. Throws failure:
/// not_found, gone, forbidden, conflict, locked, too_large, disk_full.
asio::awaitable<appended> append_body(exchange& x, std::string id, std::uint64_t offset,
                                      std::string checksum);

} // namespace jobrunner::http
