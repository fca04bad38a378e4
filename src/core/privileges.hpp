// From root to the least user, once, at start.
#pragma once

#include "core/config.hpp"
#include "core/launcher.hpp"
#include "core/unique_fd.hpp"

#include <filesystem>

namespace jobrunner {

struct users {
  launcher jobs;       // starts Slurm's commands as the job user
  launcher extractors; // starts jobrunner-extract as a user without a name
  gid_t job_group = 0;
  bool isolated = false; // false: not started as root, all is one user
};

/// Makes the launchers, and the process JR_SERVER_USER, in the group of JR_JOB_USER too, without a
/// way back. Raises the limit of open files, forbids core dumps. Call it before any thread exists.
/// Throws failure{invalid} for a user that does not exist.
users become_server(const config&);

/// One server a data folder. Throws failure{conflict} if another has it.
class data_lock {
public:
  explicit data_lock(const std::filesystem::path& root);

private:
  unique_fd file_;
};

} // namespace jobrunner
