#include "actors/job_intake.hpp"

#include "actors/manifest.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/uuid.hpp"
#include "slurm/array_spec.hpp"
#include "slurm/job_extras.hpp"
#include "webhook/sending.hpp"

#include <boost/json/parse.hpp>

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <sys/stat.h>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

/// A folder of this server's that the job user's group may enter, or write as well. New files in
/// it get that group.
void make_folder(const fs::path& path, gid_t group, mode_t mode) {
  if (mkdir(path.c_str(), 0700) != 0 || chown(path.c_str(), static_cast<uid_t>(-1), group) != 0 ||
      chmod(path.c_str(), mode) != 0)
    throw errno_failure("make the folder " + path.filename().string());
}

/// What was asked for if it fits, or the default cut to what there is.
std::int64_t fit(const char* field, std::optional<std::int64_t> asked, std::int64_t otherwise,
                 std::int64_t least, std::int64_t most, const char* unit) {
  if (!asked)
    return std::min(otherwise, most);
  if (*asked < least || *asked > most)
    throw failure(errc::invalid, std::string{field} + " is " + std::to_string(*asked) +
                                     ", but must be from " + std::to_string(least) + " to " +
                                     std::to_string(most) + ", the " + unit + " that the node has");
  return *asked;
}

std::int64_t fit_time(std::optional<std::int64_t> asked, std::int64_t most) {
  constexpr std::int64_t four_hours = 14400;
  if (most <= 0) // the partition has no limit
    return asked.value_or(four_hours);
  if (asked && *asked > most)
    throw failure(errc::invalid, "time_limit is " + to_time_limit(*asked) +
                                     ", but jobs may run for at most " + to_time_limit(most));
  return std::min(asked.value_or(four_hours), most);
}

resources fit_resources(const services& with, const job_request& r) {
  const auto have = with.published.slurm.view().capacity;
  if (have.cpus == 0)
    throw failure(errc::unavailable, "Slurm has not told yet what its node has; try again");
  resources wanted;
  wanted.gpus = fit("gpus", r.gpus, 1, 0, have.gpus, "GPUs");
  wanted.cpus = fit("cpus", r.cpus, 4, 1, have.cpus, "CPUs");
  // A node of 31.9 GiB is offered as 31; one with less than 1 GiB gives what it has.
  if (r.mem_gb)
    wanted.mem_mb = 1024 * fit("mem_gb", r.mem_gb, 16, 1, have.mem_mb / 1024, "GiB of memory");
  else
    wanted.mem_mb = std::min<std::int64_t>(16384, have.mem_mb);
  wanted.time_limit_s = fit_time(r.time_limit_s, have.max_time_s);
  return wanted;
}

boost::json::object parse_params(const std::string& text) {
  boost::json::error_code ec;
  auto value = boost::json::parse(text, ec); // at most 32 deep
  if (ec)
    throw failure(errc::invalid,
                  "params_json is " + shown(text) + ", which is not JSON (" + ec.message() + ")");
  if (!value.is_object())
    throw failure(errc::invalid, "params_json is " + shown(text) +
                                     ", but must be a JSON object like {\"lr\": 0.1}");
  return std::move(value.as_object());
}

slurm::command find_command(const services& with, const std::string& key) {
  auto all = slurm::load_commands(with.settings.commands_dir);
  if (const auto it = all.find(key); it != all.end())
    return std::move(it->second);
  std::string known;
  for (const auto& [name, command] : all)
    known += (known.empty() ? "" : ", ") + name;
  throw failure(errc::invalid, "command_key is " + shown(key) + ", but must be one of: " + known);
}

std::shared_ptr<const dataset> find_dataset(const services& with, std::string sha) {
  std::ranges::transform(sha, sha.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  auto found = with.published.datasets.use(sha);
  if (!found)
    throw failure(errc::not_found, "no dataset has the dataset_sha " + shown(sha) +
                                       "; it is the sha256 that an upload answered");
  return found;
}

/// The folder a job runs in: the dataset's own, also for a dataset that is one file.
fs::path folder_of(const services& with, const dataset& d) {
  const auto path = with.settings.root / d.rel_path;
  return d.rel_path.ends_with('/') || fs::is_directory(path) ? path : path.parent_path();
}

/// Where its address is only known by its name, that is judged at each connection.
job_extras check_extras(const services& with, job_extras extras) {
  if (!extras.webhook_url.empty())
    try {
      webhook::receiver_of(extras.webhook_url, with.settings.outside);
    } catch (const failure& f) {
      throw failure(f.code(), std::string{"webhook_url: "} + f.what());
    }
  return slurm::checked(std::move(extras));
}

} // namespace

fs::path job_dir(const services& with, const std::string& uuid) {
  return with.settings.root / "jobs" / uuid;
}

job_inputs find_inputs(const services& with, const job_request& r) {
  job_inputs found;
  found.command = find_command(with, r.command_key);
  found.params = parse_params(r.params_json);
  found.extras = check_extras(with, r.extras);
  found.data = find_dataset(with, r.dataset_sha);
  return found;
}

job draft_job(const services& with, const job_request& r, const job_inputs& inputs) {
  job j;
  j.uuid = make_uuid();
  j.dataset_sha = inputs.data->sha256;
  j.command_key = inputs.command.key;
  j.params_json = r.params_json;
  j.result_dir = with.settings.root / "results" / ("job_" + j.uuid);
  j.log_path = "logs/job_" + j.uuid + ".out";
  j.wanted = fit_resources(with, r);
  j.extras = inputs.extras;
  j.experiment =
      j.extras.experiment_id.empty() ? experiment_in(inputs.params) : j.extras.experiment_id;
  j.held = r.hold;
  j.array_uuid = r.array_uuid;
  j.array_spec = r.array_spec;
  j.array_index = r.array_index;
  j.requeued_from = r.requeued_from;
  j.state = "PENDING";
  j.created_at = now();
  return j;
}

slurm::spec spec_of(const services& with, const job& j, const job_inputs& inputs) {
  slurm::spec spec;
  spec.uuid = j.uuid;
  spec.dataset_dir = folder_of(with, *inputs.data);
  spec.result_dir = j.result_dir;
  spec.params_json = j.params_json;
  spec.path = with.settings.job_path;
  spec.argv =
      render(inputs.command, inputs.params, j.params_json, {spec.dataset_dir, spec.result_dir});
  spec.env = slurm::variables_of(j.extras);
  if (!j.experiment.empty())
    spec.env.push_back("JR_EXPERIMENT_ID=" + j.experiment);
  if (!j.array_spec.empty()) {
    constexpr auto checked_before = std::numeric_limits<std::size_t>::max();
    for (auto& variable :
         slurm::task_environment(slurm::parse_array(j.array_spec, checked_before), j.array_index))
      spec.env.push_back(std::move(variable));
  }
  return spec;
}

void make_places(const services& with, const job& j, const slurm::spec& spec) {
  const auto folder = job_dir(with, j.uuid);
  try {
    make_folder(folder, with.job_group, 02750);
    make_folder(folder / "run", with.job_group, 02770);
    make_folder(j.result_dir, with.job_group, 02770);
    slurm::write_spec(folder, spec);
  } catch (...) {
    forget_job(with, j);
    throw;
  }
}

job prepare_job(const services& with, const job_request& r) {
  const auto inputs = find_inputs(with, r);
  auto j = draft_job(with, r, inputs);
  make_places(with, j, spec_of(with, j, inputs));
  return j;
}

job_request request_again(const job& j) {
  job_request r;
  r.dataset_sha = j.dataset_sha;
  r.command_key = j.command_key;
  r.params_json = j.params_json;
  if (j.wanted.cpus > 0) { // of the FastAPI program's jobs nothing is known
    r.gpus = j.wanted.gpus;
    r.cpus = j.wanted.cpus;
    r.time_limit_s = j.wanted.time_limit_s;
    if (j.wanted.mem_mb % 1024 == 0) // else all that a small node had
      r.mem_gb = j.wanted.mem_mb / 1024;
  }
  r.extras = j.extras;
  r.array_spec = j.array_spec; // its command sees the same variables
  r.array_index = j.array_index;
  return r;
}

void forget_job(const services& with, const job& j) {
  std::error_code ignored; // what remains is empty folders
  fs::remove_all(job_dir(with, j.uuid), ignored);
  fs::remove_all(j.result_dir, ignored);
}

slurm::submission submission_of(const services& with, const job& j) {
  return {j.uuid,
          job_dir(with, j.uuid),
          with.settings.root / j.log_path,
          j.wanted,
          {},
          {},
          j.extras.signal,
          j.held};
}

} // namespace jobrunner
