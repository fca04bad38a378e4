// What the node can give a job, from slurmctld.
#pragma once

#include <cstdint>
#include <string>

namespace jobrunner::slurm {

struct capacity {
  std::int64_t cpus = 0, mem_mb = 0, gpus = 0;
  std::int64_t max_time_s = 0; // of the default partition; 0: no limit
  std::string trouble{};       // in words: why no node can start a job now; empty: one can
};

} // namespace jobrunner::slurm
