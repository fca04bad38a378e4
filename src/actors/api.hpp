// The actors as their callers see them: one handle and one comment per message, a header for each
// thing they are about. Of src/actors, src/http includes this, ask.hpp and board.hpp alone.
#pragma once

#include "actors/dataset_api.hpp"
#include "actors/event_api.hpp"
#include "actors/job_api.hpp"
#include "actors/output_api.hpp"
#include "actors/slurm_api.hpp"
#include "actors/transfer_api.hpp"

namespace jobrunner {

/// Every handle that a request may need.
struct actors {
  dataset_actor datasets;
  scrubber_actor scrubber;
  upload_actor uploads;
  job_actor jobs;
  indexer_actor indexer;
  output_actor outputs;
  importer_actor importer;
  adopter_actor adopter;
  event_actor events;
  poller_actor slurm;
  job_list_actor job_lists;
  webhook_actor webhooks;
};

} // namespace jobrunner
