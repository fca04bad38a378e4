// What the actors share: configuration, launchers, Slurm's commands and the boards.
// Made by main before them, gone after them.
#pragma once

#include "actors/bell.hpp"
#include "actors/board.hpp"
#include "core/config.hpp"
#include "core/launcher.hpp"
#include "slurm/client.hpp"

#include <memory>
#include <sys/types.h>

namespace jobrunner {

struct services {
  const config& settings;
  launcher& extractors; // starts jobrunner-extract
  slurm::client& slurm;
  boards& published;
  gid_t job_group; // of the job user: the server is in it and gives it the folders that jobs write
  std::shared_ptr<bell> look_now = std::make_shared<bell>(); // asks the poller to look at once
};

} // namespace jobrunner
