// One export, done: a job's outputs into a bucket. Blocks; knows no actors.
#pragma once

#include "actors/import_run.hpp"
#include "s3/sending.hpp"

namespace jobrunner {

/// Sends all regular files below the job's RESULT_DIR, and returns the last word on it. Throws
/// failure: conflict (the job still runs), unprocessable (a file's name, or it changed meanwhile),
/// s3::stopped, and what s3::client throws. Uploads that did not end are aborted, unless it was
/// only stopped.
transfer_report run_export(const services& with, const transfer& wanted, const job& of,
                           transfer_orders& orders, const import_run::progress& tell);

} // namespace jobrunner
