// What job_registry would do with a job, without doing any of it.
#include "actors/errors.hpp"
#include "actors/job_intake.hpp"
#include "actors/job_registry.hpp"
#include "slurm/array_spec.hpp"
#include "slurm/job_environment.hpp"

#include <caf/typed_response_promise.hpp>

namespace jobrunner {

namespace {

/// Names alone: a value may be a secret.
std::vector<std::string> names_of(const std::vector<std::string>& variables) {
  std::vector<std::string> names;
  names.reserve(variables.size() + 1);
  for (const auto& v : variables)
    names.push_back(v.substr(0, v.find('=')));
  names.emplace_back("SLURM_*"); // and the devices that Slurm gives
  return names;
}

/// What a client sent wrong is an error here too; what is not there is what it asks for.
template <class F>
bool there_is(std::vector<std::string>& missing, F look) {
  try {
    look();
    return true;
  } catch (const failure& f) {
    if (f.code() == errc::invalid || f.code() == errc::internal)
      throw;
    missing.emplace_back(f.what());
    return false;
  }
}

} // namespace

caf::result<job_plan> job_registry::plan(const job_request& r) {
  job_plan made;
  auto one = r;
  if (!r.array.empty()) {
    const auto spec =
        slurm::parse_array(r.array, static_cast<std::size_t>(with_.settings.max_array_tasks));
    one.array_spec = r.array;
    one.array_index = spec.indices.front();
    made.tasks = static_cast<std::int64_t>(spec.indices.size());
  }
  slurm::submission order;
  const auto draft = [&] {
    const auto inputs = find_inputs(with_, one);
    const auto j = draft_job(with_, one, inputs);
    const auto spec = spec_of(with_, j, inputs);
    order = submission_of(with_, j);
    made.argv = spec.argv;
    made.environment = names_of(slurm::job_environment(spec, "", "", nullptr));
    made.script = with_.slurm.arguments(order);
  };
  if (!there_is(made.missing, draft))
    return made;
  const auto depend = [&] { order.after_ok = slurm_ids_of(r.extras.after); };
  there_is(made.missing, depend);
  made.script = with_.slurm.arguments(order);
  if (const auto slurm = with_.published.slurm.view(); !slurm.up) {
    made.missing.push_back("Slurm does not answer (" + slurm.problem + ")");
    return made;
  }
  auto promise = self_->make_response_promise<job_plan>();
  self_->request(next_worker(), caf::infinite, atom::plan_v, order)
      .then(
          [made, promise](const slurm::forecast& f) mutable {
            made.start = f.start;
            promise.deliver(std::move(made));
          },
          [made, promise](const caf::error& e) mutable {
            made.missing.emplace_back(to_failure(e).what());
            promise.deliver(std::move(made));
          });
  return promise;
}

} // namespace jobrunner
