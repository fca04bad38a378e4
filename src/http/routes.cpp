#include "http/routes.hpp"

#include "http/handlers.hpp"

#include <algorithm>
#include <array>

namespace jobrunner::http {

namespace {

using beast::verb;

constexpr std::array table{
    route{verb::get, "/health", get_health, auth::none},
    route{verb::get, "/openapi.json", get_openapi, auth::none},
    route{verb::get, "/cluster", get_cluster},
    route{verb::get, "/commands", list_commands},
    route{verb::get, "/commands/{key}", get_command},
    route{verb::get, "/datasets", list_datasets},
    route{verb::get, "/datasets/exists/{sha256}", dataset_exists},
    route{verb::post, "/datasets/upload", upload_dataset, auth::token, takes::stream},
    route{verb::post, "/datasets/import_path", import_path, auth::token, takes::fields},
    route{verb::post, "/datasets/import", import_from_bucket, auth::token, takes::fields},
    route{verb::get, "/imports", list_imports},
    route{verb::get, "/imports/{id}", get_import},
    route{verb::get, "/imports/{id}/events", get_import_events},
    route{verb::delete_, "/imports/{id}", cancel_import},
    route{verb::post, "/datasets/from_job", adopt_outputs, auth::token, takes::fields},
    route{verb::get, "/datasets/{sha256}", get_dataset},
    route{verb::put, "/datasets/{sha256}", put_dataset, auth::token, takes::stream},
    route{verb::patch, "/datasets/{sha256}", edit_dataset, auth::token, takes::fields},
    route{verb::delete_, "/datasets/{sha256}", remove_dataset},
    route{verb::post, "/datasets/{sha256}/scrub", scrub_dataset, auth::token, takes::fields},
    route{verb::options, "/uploads", tus_options},
    route{verb::post, "/uploads", tus_create, auth::token, takes::stream},
    route{verb::get, "/uploads/{id}", tus_get},
    route{verb::patch, "/uploads/{id}", tus_append, auth::token, takes::stream},
    route{verb::delete_, "/uploads/{id}", tus_terminate},
    route{verb::get, "/jobs", list_jobs},
    route{verb::post, "/jobs", submit_job, auth::token, takes::fields},
    route{verb::get, "/jobs/{id}", get_job},
    route{verb::get, "/jobs/{id}/events", get_job_events},
    route{verb::get, "/events", get_events},
    route{verb::get, "/webhooks/secret", get_webhook_secret},
    route{verb::get, "/jobs/{id}/log", get_job_log},
    route{verb::get, "/jobs/{id}/result", get_job_result},
    route{verb::delete_, "/jobs/{id}", delete_job},
    route{verb::post, "/jobs/{id}/cancel", cancel_job, auth::token, takes::fields},
    route{verb::post, "/jobs/{id}/hold", hold_job, auth::token, takes::fields},
    route{verb::post, "/jobs/{id}/release", release_job, auth::token, takes::fields},
    route{verb::post, "/jobs/{id}/requeue", requeue_job, auth::token, takes::fields},
    route{verb::post, "/jobs/{id}/clone", clone_job, auth::token, takes::fields},
    route{verb::get, "/arrays/{id}", get_array},
    route{verb::post, "/arrays/{id}/cancel", cancel_array, auth::token, takes::fields},
    route{verb::post, "/arrays/{id}/retry", retry_array, auth::token, takes::fields},
    route{verb::post, "/outputs/index/{job_id}", index_outputs, auth::token, takes::fields},
    route{verb::post, "/outputs/export", export_to_bucket, auth::token, takes::fields},
    route{verb::get, "/exports", list_exports},
    route{verb::get, "/exports/{id}", get_export},
    route{verb::get, "/exports/{id}/events", get_export_events},
    route{verb::delete_, "/exports/{id}", cancel_export},
    route{verb::get, "/outputs", list_outputs},
    route{verb::get, "/outputs/by_job/{job_id}", list_outputs_of_job},
    route{verb::get, "/outputs/archive", download_archive},
    route{verb::get, "/outputs/download", download_output},
    route{verb::get, "/outputs/download_by_job", download_of_job},
};

} // namespace

std::span<const route> routes() {
  return table;
}

std::variant<matched, no_such_path, not_allowed> find_route(verb asked, std::string_view raw_path) {
  const auto segments = split_path(raw_path);
  std::vector<const route*> here; // with fewest holes: /datasets/upload is no sha256
  std::size_t fewest = segments.size();
  for (const auto& r : table)
    if (const auto holes = holes_filled(r.path, segments); holes && *holes <= fewest) {
      if (*holes < fewest)
        here.clear();
      fewest = *holes;
      here.push_back(&r);
    }
  not_allowed others;
  for (const auto* r : here) {
    if (asked == r->verb || (asked == verb::head && r->verb == verb::get))
      return matched{*r, fillings(r->path, segments)};
    others.allow += (others.allow.empty() ? "" : ", ") + std::string{beast::to_string(r->verb)};
    if (r->verb == verb::get)
      others.allow += ", HEAD";
  }
  if (others.allow.empty())
    return no_such_path{};
  return others;
}

} // namespace jobrunner::http
