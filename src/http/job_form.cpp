#include "http/job_form.hpp"

#include "core/duration.hpp"
#include "core/error.hpp"

#include <limits>

namespace jobrunner::http {

namespace {

constexpr std::int64_t plenty = 1000000; // what the node has is checked where it is known

void read_integer(const fields& form, std::string_view name, std::int64_t least,
                  std::optional<std::int64_t>& into) {
  if (form.has(name))
    into = form.integer(name, least, plenty);
}

void read_extras(const fields& form, job_extras& e) {
  e.name = form.text_or("name", e.name);
  e.experiment_id = form.text_or("experiment_id", e.experiment_id);
  e.labels_json = form.json_text_or("labels", e.labels_json);
  e.env_json = form.json_text_or("env", e.env_json);
  e.signal = form.text_or("signal", e.signal);
  e.webhook_url = form.text_or("webhook_url", e.webhook_url);
  if (form.has("after"))
    e.after = form.integers("after", 1, std::numeric_limits<std::int64_t>::max());
}

} // namespace

job_request read_job_form(const fields& form, job_request otherwise) {
  form.allow({"dataset_sha", "command_key", "params_json", "gpus", "cpus", "mem_gb", "time_limit",
              "name", "experiment_id", "labels", "env", "array", "after", "webhook_url", "signal",
              "hold", "dry_run"});
  auto r = std::move(otherwise);
  const auto needed = [&](std::string_view name, std::string& into) {
    if (into.empty() || form.has(name))
      into = form.text(name);
  };
  needed("dataset_sha", r.dataset_sha);
  needed("command_key", r.command_key);
  r.params_json = form.json_text_or("params_json", r.params_json);
  read_integer(form, "gpus", 0, r.gpus);
  read_integer(form, "cpus", 1, r.cpus);
  read_integer(form, "mem_gb", 1, r.mem_gb);
  if (form.has("time_limit"))
    r.time_limit_s = parse_time_limit(form.text("time_limit"));
  read_extras(form, r.extras);
  if (form.has("array")) {
    r.array = form.text("array");
    if (r.array.empty())
      throw failure(errc::invalid, "array is \"\"; it must be like 0-9 or 1,3,5-7");
  }
  r.hold = form.boolean_or("hold", r.hold);
  return r;
}

} // namespace jobrunner::http
