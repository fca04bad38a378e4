#pragma once

#include "actors/transfer_desk.hpp"

#include <caf/event_based_actor.hpp>

namespace jobrunner {

/// Who a task asks and tells.
struct transfer_peers {
  dataset_actor datasets;
  job_actor jobs;
  importer_actor desk;
};

/// One import or export from its beginning to its end, with a thread of its own (spawn it
/// detached): it waits for the network. Reports to the desk and ends; if its orders say stop it
/// ends without a word.
caf::behavior transfer_task(caf::event_based_actor* self, const services& with,
                            const transfer_peers& peers, const transfer& what,
                            const std::shared_ptr<transfer_orders>& orders);

} // namespace jobrunner
