// The handlers of the routes: each parses, asks once, and renders.
#pragma once

#include "http/types.hpp"

namespace jobrunner::http {

// cluster.cpp
asio::awaitable<response> get_health(exchange&);
asio::awaitable<response> get_cluster(exchange&);
asio::awaitable<response> get_openapi(exchange&);
asio::awaitable<response> list_commands(exchange&);
asio::awaitable<response> get_command(exchange&);

// datasets.cpp, dataset_life.cpp and upload.cpp
asio::awaitable<response> list_datasets(exchange&);
asio::awaitable<response> get_dataset(exchange&);
asio::awaitable<response> put_dataset(exchange&);
asio::awaitable<response> edit_dataset(exchange&);
asio::awaitable<response> remove_dataset(exchange&);
asio::awaitable<response> scrub_dataset(exchange&);
asio::awaitable<response> dataset_exists(exchange&);
asio::awaitable<response> import_path(exchange&);
asio::awaitable<response> adopt_outputs(exchange&);
asio::awaitable<response> upload_dataset(exchange&);

// tus.cpp
asio::awaitable<response> tus_options(exchange&);
asio::awaitable<response> tus_create(exchange&);
asio::awaitable<response> tus_get(exchange&);
asio::awaitable<response> tus_append(exchange&);
asio::awaitable<response> tus_terminate(exchange&);

// job_submit.cpp
asio::awaitable<response> submit_job(exchange&);
asio::awaitable<response> requeue_job(exchange&);
asio::awaitable<response> clone_job(exchange&);

// job_control.cpp
asio::awaitable<response> cancel_job(exchange&);
asio::awaitable<response> hold_job(exchange&);
asio::awaitable<response> release_job(exchange&);
asio::awaitable<response> delete_job(exchange&);

// job_arrays.cpp
asio::awaitable<response> get_array(exchange&);
asio::awaitable<response> cancel_array(exchange&);
asio::awaitable<response> retry_array(exchange&);

// job_list.cpp and jobs.cpp
asio::awaitable<response> list_jobs(exchange&);
asio::awaitable<response> get_job(exchange&);
asio::awaitable<response> get_job_result(exchange&);

// webhooks.cpp
asio::awaitable<response> get_webhook_secret(exchange&);

// events.cpp
asio::awaitable<response> get_events(exchange&);
asio::awaitable<response> get_job_events(exchange&);

// log.cpp
asio::awaitable<response> get_job_log(exchange&);

// outputs.cpp
asio::awaitable<response> index_outputs(exchange&);
asio::awaitable<response> list_outputs(exchange&);
asio::awaitable<response> list_outputs_of_job(exchange&);
asio::awaitable<response> download_output(exchange&);
asio::awaitable<response> download_of_job(exchange&);

// outputs_archive.cpp
asio::awaitable<response> download_archive(exchange&);

// imports.cpp
asio::awaitable<response> import_from_bucket(exchange&);
asio::awaitable<response> list_imports(exchange&);
asio::awaitable<response> get_import(exchange&);
asio::awaitable<response> get_import_events(exchange&);
asio::awaitable<response> cancel_import(exchange&);

// exports.cpp
asio::awaitable<response> export_to_bucket(exchange&);
asio::awaitable<response> list_exports(exchange&);
asio::awaitable<response> get_export(exchange&);
asio::awaitable<response> get_export_events(exchange&);
asio::awaitable<response> cancel_export(exchange&);

} // namespace jobrunner::http
