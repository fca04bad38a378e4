// Who is spawned how, and in which order they stop. The only place that spawns service actors.
#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <atomic>
#include <memory>
#include <vector>

namespace jobrunner {

/// CAF as we run it: few threads, none of them busy while there is nothing to do.
struct caf_settings : caf::actor_system_config {
  caf_settings();
};

/// The service actors. Destroyed before the actor_system, which then waits for them to end.
class root {
public:
  /// Opens the database, cleans up after a crash and starts to look at Slurm. Throws failure.
  root(caf::actor_system& sys, const services& with);
  root(const root&) = delete;
  root& operator=(const root&) = delete;
  ~root();

  const actors& handles() const noexcept { return handles_; }

private:
  actors handles_;
  std::vector<caf::actor> stop_order_;
  std::shared_ptr<std::atomic<bool>> stopping_ = std::make_shared<std::atomic<bool>>(false);
};

} // namespace jobrunner
