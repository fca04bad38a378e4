// What can go wrong here, in the words of this server rather than of SQLite,
// libarchive or Slurm. Leaves throw `failure`; http/problem.cpp turns it into a response.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace jobrunner {

enum class errc : std::uint8_t {
  none = 0,      // CAF reads 0 as "no error"
  invalid,       // 400: the caller sent something we cannot use
  unauthorized,  // 401: no token, or a wrong one
  forbidden,     // 403: not from there, or not with the default token
  not_found,     // 404: no such dataset, job, file
  conflict,      // 409: it is in another state than the call needs
  gone,          // 410: it was there, and has expired
  length_needed, // 411: a body without a length
  too_large,     // 413: over a limit of the configuration
  unsupported,   // 415: a body of a kind we do not read
  bad_range,     // 416
  unprocessable, // 422: an archive that is refused or broken
  locked,        // 423: somebody else is at it
  too_many,      // 429: a limit of the caller's is reached
  unavailable,   // 503: Slurm does not answer, a queue is full: try again
  disk_full,     // 507
  internal,      // 500: our fault; the detail goes to the log, not to the client
};

std::string to_string(errc);
errc errc_named(std::string_view name); // the reverse; internal for what is none

/// Thrown by leaf code. `what()` is a sentence for a person that names the field,
/// the value and what would be right.
class failure : public std::runtime_error {
public:
  failure(errc code, const std::string& detail) : std::runtime_error(detail), code_(code) {}
  errc code() const noexcept { return code_; }

private:
  errc code_;
};

/// The failure for a system call that set errno: disk_full for ENOSPC and EDQUOT, else internal.
failure errno_failure(const std::string& doing);

} // namespace jobrunner
