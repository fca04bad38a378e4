// An import from a bucket or an export to one, as the server knows it.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace jobrunner {

enum class direction : std::uint8_t { import, out };

struct transfer {
  std::string id; // a uuid
  direction way = direction::import;

  // What was asked for; keys to a bucket are never part of it.
  std::string bucket;      // as the configuration calls it; "" with an endpoint of the client's
  std::string endpoint;    // the client's own, read without keys; "" mostly
  std::string key;         // import: of the object; "" with a prefix
  std::string prefix;      // import: of the objects; export: of what is written
  std::string sha256;      // that an import must have; "": any
  std::string filename;    // of an imported object; "": the key's last part
  bool extract = true;     // an imported archive
  std::int64_t job_id = 0; // export

  std::string state = "QUEUED"; // RUNNING, then COMPLETED, FAILED or CANCELLED
  bool done = false;
  std::int64_t seq = 1; // grows with every change that a client can see
  std::int64_t bytes_done = 0, files_done = 0;
  std::optional<std::int64_t> bytes_total, files_total; // known once the bucket was looked at
  std::string dataset_sha;                              // what an import became
  std::string error_code;                               // why it failed: the name of an errc,
  std::string error;                                    // and a sentence
  timestamp created_at{};
  std::optional<timestamp> started_at, ended_at;
};

} // namespace jobrunner
