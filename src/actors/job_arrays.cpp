// How job_registry submits an array: as many jobs of Slurm's as it has tasks, all or none. Slurm
// holds each until it has the last; only then do they get their numbers, in one transaction, and
// are released together. Whatever goes wrong before leaves held jobs that never run, and no trace.
#include "actors/errors.hpp"
#include "actors/job_intake.hpp"
#include "actors/job_registry.hpp"
#include "core/log.hpp"
#include "core/uuid.hpp"
#include "slurm/array_spec.hpp"
#include "slurm/job_dir.hpp"

#include <caf/typed_response_promise.hpp>

#include <limits>
#include <utility>

namespace jobrunner {

namespace {

using promise_of_jobs = caf::typed_response_promise<std::vector<job>>;

constexpr std::size_t most_array_bytes = 64U << 20U; // of parameters and variables, over all tasks

failure unknown_array(const std::string& uuid) {
  return {errc::not_found, "no array has the id " + uuid};
}

} // namespace

/// An array on its way to Slurm.
struct job_registry::array_order {
  std::vector<job> tasks;
  std::vector<job_inputs> inputs;      // of all tasks, or of each
  std::vector<std::int64_t> slurm_ids; // 0: not known yet
  std::vector<std::int64_t> after;     // Slurm's ids of what all of them wait for
  std::size_t next = 0, under_way = 0;
  std::size_t at_once = 0;           // 0: all
  bool hold = false;                 // when it is whole, too
  std::optional<store::job_key> key; // the first task's
  std::optional<caf::error> failed;
  promise_of_jobs promise;
  const job_inputs& inputs_of(std::size_t i) const { return inputs.at(inputs.size() == 1 ? 0 : i); }
};

caf::result<std::vector<job>> job_registry::submit_array(const job_request& r) {
  const bool keyed = !r.idempotency_key.empty();
  if (keyed) // also while Slurm is down: nothing is submitted
    if (const auto first = made_before(r))
      return first->requeued_from > 0 ? std::vector{*first} : rows_.first_tasks(first->array_uuid);
  if (const auto slurm = with_.published.slurm.view(); !slurm.up)
    throw failure(errc::unavailable, "Slurm does not answer (" + slurm.problem + "); try again");
  const bool again = !r.array_uuid.empty(); // one task of an array that there is
  const auto spec =
      again ? slurm::array_spec{{r.array_index}, 0}
            : slurm::parse_array(r.array, static_cast<std::size_t>(with_.settings.max_array_tasks));
  const auto bytes = r.params_json.size() + r.extras.env_json.size() + r.extras.labels_json.size();
  if (bytes * spec.indices.size() > most_array_bytes)
    throw failure(errc::invalid,
                  "array: its tasks' parameters and variables would take more than " +
                      std::to_string(most_array_bytes >> 20U) + " MiB together");
  auto order = std::make_shared<array_order>();
  if (keyed)
    order->key = {r.idempotency_key, r.fingerprint};
  order->after = slurm_ids_of(r.extras.after);
  order->inputs.push_back(find_inputs(with_, r));
  order->at_once = static_cast<std::size_t>(spec.at_once);
  order->hold = r.hold;
  auto one = r;
  if (!again) {
    one.array_uuid = make_uuid();
    one.array_spec = r.array;
  }
  for (const auto index : spec.indices) {
    one.array_index = index;
    order->tasks.push_back(draft_job(with_, one, order->inputs.front()));
  }
  spec_of(with_, order->tasks.front(),
          order->inputs.front()); // throws if its parameters do not fit
  return start_array(std::move(order));
}

/// The newest job of each task that has ended badly, again with what it had.
caf::result<std::vector<job>> job_registry::retry(const std::string& array) {
  const auto tasks = rows_.tasks(array);
  if (tasks.empty())
    throw unknown_array(array);
  if (const auto slurm = with_.published.slurm.view(); !slurm.up)
    throw failure(errc::unavailable, "Slurm does not answer (" + slurm.problem + "); try again");
  auto order = std::make_shared<array_order>();
  order->at_once = static_cast<std::size_t>(
      slurm::parse_array(tasks.front().array_spec, std::numeric_limits<std::size_t>::max())
          .at_once);
  for (const auto& was : tasks) {
    if (!was.done || was.state == "COMPLETED")
      continue;
    auto again = request_again(was);
    again.array_uuid = was.array_uuid;
    again.requeued_from = was.id;
    order->inputs.push_back(find_inputs(with_, again));
    order->tasks.push_back(draft_job(with_, again, order->inputs.back()));
  }
  if (order->tasks.empty())
    throw failure(errc::conflict, "no task of the array " + array + " has ended badly");
  order->after = slurm_ids_of(order->tasks.front().extras.after);
  return start_array(std::move(order));
}

caf::result<std::vector<job>> job_registry::start_array(
    std::shared_ptr<array_order> order) { // NOLINT(performance-unnecessary-value-param): a share
  for (auto& j : order->tasks)
    j.held = true;
  order->slurm_ids.assign(order->tasks.size(), 0);
  {
    sqlite::transaction t{db_}; // durable before Slurm hears of the first
    datasets_.require_usable(order->tasks.front().dataset_sha); // nobody removes it from here on
    for (const auto& j : order->tasks)
      rows_.insert_intent(j, std::exchange(order->key, std::nullopt));
    t.commit();
  }
  order->promise = self_->make_response_promise<std::vector<job>>();
  auto promise = order->promise;
  feed(order);
  return promise;
}

/// As many at once as there are workers, so that others' jobs come in between.
void job_registry::feed(const std::shared_ptr<array_order>& order) {
  const auto ready = [&] { // a lane's next task names the one before it
    const auto i = order->next;
    return i < order->tasks.size() &&
           (order->at_once == 0 || i < order->at_once || order->slurm_ids[i - order->at_once] != 0);
  };
  while (!order->failed && order->under_way < workers_.size() && ready())
    send_task(order);
  if (order->under_way > 0)
    return;
  if (!order->failed)
    try {
      return accept_array(*order);
    } catch (...) {
      order->failed = current_error();
    }
  withdraw_array(*order);
}

void job_registry::send_task(const std::shared_ptr<array_order>& order) {
  const auto i = order->next++;
  const auto& j = order->tasks[i];
  try {
    make_places(with_, j, spec_of(with_, j, order->inputs_of(i)));
  } catch (...) {
    order->failed = current_error();
    return;
  }
  auto s = submission_of(with_, j);
  s.after_ok = order->after;
  if (order->at_once > 0 && i >= order->at_once)
    s.after_any.push_back(order->slurm_ids[i - order->at_once]);
  ++order->under_way;
  const auto not_after = std::chrono::steady_clock::now() + with_.settings.slurm_timeout;
  self_
      ->request(next_worker(), caf::infinite, atom::submit_v, submit_order{std::move(s), not_after})
      .then(
          [this, order, i](std::int64_t slurm_id) {
            --order->under_way;
            order->slurm_ids[i] = slurm_id;
            feed(order);
          },
          [this, order](const caf::error& e) {
            --order->under_way;
            order->failed = e;
            feed(order);
          });
}

/// Slurm holds all of them: they become jobs together. Throws failure and changes nothing if the
/// database does not take them.
void job_registry::accept_array(array_order& order) {
  std::vector<job> accepted;
  try {
    for (std::size_t i = 0; i < order.tasks.size(); ++i) {
      auto& j = accepted.emplace_back(order.tasks[i]);
      j.slurm_id = order.slurm_ids[i];
      j.id = free_id(j.slurm_id);
      j.seq = 1;
      j.held = order.hold;
      open_[j.id] = {j, std::chrono::steady_clock::now(), {}, false};
    }
    commit(accepted);
  } catch (...) {
    for (const auto& j : accepted)
      open_.erase(j.id);
    throw;
  }
  const auto& first = accepted.front();
  log("jobs", "array_accepted",
      {{"array", first.array_uuid},
       {"tasks", std::to_string(accepted.size())},
       {"first_job", std::to_string(first.id)}});
  if (!order.hold)
    for (const auto& j : accepted)
      unreleased_.insert(j.uuid);
  release_tasks();
  order.promise.deliver(std::move(accepted));
}

/// None of them runs, and none has been told of.
void job_registry::withdraw_array(array_order& order) {
  log("jobs", "array_withdrawn", {{"array", order.tasks.front().array_uuid}});
  try {
    sqlite::transaction t{db_};
    for (const auto& j : order.tasks)
      rows_.remove(j.uuid);
    t.commit();
  } catch (const failure& f) { // the next start finds intents of an array, and withdraws them
    log("jobs", "intents_stay", {{"why", f.what()}});
  }
  for (std::size_t i = 0; i < order.next; ++i)
    withdraw(order.tasks[i]);
  order.promise.deliver(*order.failed);
}

/// Slurm may hold it, and it must not run. Its row goes.
void job_registry::withdraw(const job& j) {
  const auto folder = job_dir(with_, j.uuid);
  std::error_code unreadable;
  try {
    if (std::filesystem::exists(folder / "run", unreadable))
      slurm::abandon(folder);
  } catch (const failure& f) { // it is held all the same
    log("jobs", "not_abandoned", {{"uuid", j.uuid}, {"why", f.what()}});
  }
  withdrawn_.insert(j.uuid); // to be cancelled when a look shows it
  drop_intent(j);
}

/// Until Slurm has answered once.
void job_registry::release_tasks() {
  if (unreleased_.empty() || releasing_)
    return;
  releasing_ = true;
  std::vector<std::string> uuids(unreleased_.begin(), unreleased_.end());
  self_->request(next_worker(), caf::infinite, atom::hold_v, uuids, false)
      .then(
          [this, uuids](bool) {
            releasing_ = false;
            for (const auto& uuid : uuids)
              unreleased_.erase(uuid);
            with_.look_now->ring();
          },
          [this](const caf::error&) { releasing_ = false; }); // the next look tries again
}

caf::result<std::int64_t> job_registry::cancel_array(const std::string& array) {
  if (rows_.tasks(array).empty())
    throw unknown_array(array);
  std::vector<job> changed;
  std::vector<std::string> uuids;
  for (auto& [id, o] : open_) {
    if (o.now.array_uuid != array)
      continue;
    uuids.push_back(o.now.uuid);
    o.cancel_sent = std::chrono::steady_clock::now();
    unreleased_.erase(o.now.uuid);
    if (o.now.cancel_requested)
      continue;
    auto& j = changed.emplace_back(o.now);
    j.cancel_requested = true;
    ++j.seq;
  }
  const auto count = static_cast<std::int64_t>(uuids.size());
  if (uuids.empty())
    return count;
  try {
    commit(changed);
  } catch (const failure&) { // a full disk keeps nobody from ending jobs
    for (const auto& j : changed)
      keep(j);
  }
  auto promise = self_->make_response_promise<std::int64_t>();
  self_->request(next_worker(), caf::infinite, atom::cancel_v, uuids)
      .then(
          [this, count, promise](bool) mutable {
            with_.look_now->ring();
            promise.deliver(count);
          },
          [promise](const caf::error& e) mutable { promise.deliver(e); });
  return promise;
}

} // namespace jobrunner
