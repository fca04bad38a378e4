// What Slurm says of its nodes and partitions, from scontrol's text. Pure; tested on captured
// outputs.
#pragma once

#include "slurm/capacity.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::slurm {

struct node {
  std::string name;
  std::string state;  // Slurm's, with its flags: "IDLE", "MIXED+DRAIN", "DOWN*" (does not answer)
  std::string reason; // why it takes no jobs, as whoever set that wrote it
  std::int64_t cpus = 0, cpus_used = 0;
  std::int64_t mem_mb = 0, mem_mb_used = 0;
  std::int64_t gpus = 0, gpus_used = 0;
  std::string gpu_type; // Slurm's name, of the first kind of GPU
};

struct partition {
  std::string name;
  std::string state;
  bool is_default = false;
  std::int64_t max_time_s = 0; // 0: no limit
};

struct cluster {
  std::vector<node> nodes;
  std::vector<partition> partitions;
};

std::vector<node> parse_nodes(std::string_view text);           // scontrol -d show node -o
std::vector<partition> parse_partitions(std::string_view text); // scontrol show partition -o

/// The most that one node has, and whether there is one that takes jobs.
capacity capacity_of(const cluster&);

} // namespace jobrunner::slurm
