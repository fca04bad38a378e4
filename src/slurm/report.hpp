// A job as one look at Slurm showed it.
#pragma once

#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace jobrunner::slurm {

struct report {
  std::int64_t id = 0;
  std::string name;                     // "jr-<uuid>" for ours
  std::string state;                    // long form
  std::string reason;                   // Slurm's reason code, "None" as empty
  std::string node;                     // node list, "" before it has one
  std::optional<int> exit_code, signal; // where the source knows them
  std::optional<timestamp> started_at, ended_at;
};

} // namespace jobrunner::slurm
