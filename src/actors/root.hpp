// Who is spawned how, and in which order they stop. The only place that spawns service actors.
#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <memory>
#include <vector>

namespace jobrunner {

/// CAF as we run it: few threads, none of them busy while there is nothing to do.
struct caf_settings : caf::actor_system_config {
  caf_settings();
};

/// The service actors. Its destructor waits for them to end; it goes before the actor_system.
class root {
public:
  /// Opens the database, cleans up after a crash and starts to look at Slurm. Throws failure.
  root(caf::actor_system& sys, const services& with);
  root(const root&) = delete;
  root& operator=(const root&) = delete;
  ~root();

  const actors& handles() const noexcept { return handles_; }

private:
  struct ending; // shared with the actors, which tell it of theirs
  caf::actor_system& sys_;
  actors handles_;
  std::vector<caf::actor> stop_order_;
  std::shared_ptr<ending> ending_;
};

} // namespace jobrunner
