// How job_registry brings a job to Slurm: an intent first, durable, so that whatever happens then
// the job is found again or will never run.
#include "actors/errors.hpp"
#include "actors/job_intake.hpp"
#include "actors/job_registry.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "slurm/job_dir.hpp"
#include "slurm/state.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <filesystem>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_submitting = 256; // beyond, a client is told to come again
constexpr auto marker_patience = 30s;        // for a wrapper to write its number into its marker

} // namespace

/// The job that an earlier request with the same key made, if there was one.
std::optional<job> job_registry::made_before(const job_request& r) {
  auto found = rows_.find_key(r.idempotency_key);
  if (!found)
    return std::nullopt;
  const auto& [j, fingerprint] = *found;
  if (fingerprint != r.fingerprint)
    throw failure(errc::unprocessable, "the Idempotency-Key " + shown(r.idempotency_key) +
                                           " was used before, for another request; a new request "
                                           "needs a new key");
  if (j.id == 0)
    throw failure(errc::conflict, "the first request with the Idempotency-Key " +
                                      shown(r.idempotency_key) +
                                      " is still being worked on; try again in a moment");
  return get(j.id);
}

caf::result<job> job_registry::submit(const job_request& r) {
  const bool keyed = !r.idempotency_key.empty();
  if (keyed) // also while Slurm is down: nothing is submitted
    if (auto first = made_before(r))
      return std::move(*first);
  if (submitting_ >= most_submitting)
    throw failure(errc::unavailable,
                  std::to_string(submitting_) + " jobs are being submitted; try again");
  if (const auto slurm = with_.published.slurm.view(); !slurm.up)
    throw failure(errc::unavailable, "Slurm does not answer (" + slurm.problem + "); try again");
  slurm_ids_of(r.extras.after); // refused before anything is made
  auto j = prepare_job(with_, r);
  try {
    sqlite::transaction t{db_};
    datasets_.require_usable(j.dataset_sha); // nobody removes it from here on
    rows_.insert_intent(j, keyed ? std::optional{store::job_key{r.idempotency_key, r.fingerprint}}
                                 : std::nullopt);
    t.commit(); // durable before Slurm hears of it
  } catch (...) {
    forget_job(with_, j);
    throw;
  }
  ++submitting_;
  auto promise = self_->make_response_promise<job>();
  const auto not_after = std::chrono::steady_clock::now() + with_.settings.slurm_timeout;
  self_
      ->request(next_worker(), caf::infinite, atom::submit_v,
                submit_order{submission(j), not_after})
      .then(
          [this, j, promise](std::int64_t slurm_id) mutable {
            --submitting_;
            fulfil(promise, [&] { return accept(j, slurm_id); });
          },
          [this, j, promise](const caf::error& e) mutable {
            --submitting_;
            const auto start = slurm::read_start(job_dir(with_, j.uuid));
            if (!start || start->abandoned)
              drop_intent(j);
            else // it runs all the same
              intents_[j.uuid].wanted = j;
            promise.deliver(e);
          });
  return promise;
}

/// Slurm's number, if no job has it: after a loss of its newest state slurmctld counts again from
/// an older one. Ours stay unique.
std::int64_t job_registry::free_id(std::int64_t slurm_id) {
  if (!open_.contains(slurm_id) && !rows_.find(slurm_id) && !deletions_.contains(slurm_id))
    return slurm_id;
  const auto largest = std::max(rows_.largest_id(), open_.empty() ? 0 : open_.rbegin()->first);
  log("jobs", "slurm_id_given_twice",
      {{"slurm_id", std::to_string(slurm_id)}, {"job", std::to_string(largest + 1)}});
  return largest + 1;
}

job job_registry::accept(job j, std::int64_t slurm_id) {
  j.slurm_id = slurm_id;
  j.id = free_id(slurm_id);
  j.seq = 1;
  open_[j.id] = {j, std::chrono::steady_clock::now(), {}, false};
  keep(j); // Slurm has it: a client that is told otherwise runs it twice
  with_.look_now->ring();
  log("jobs", "accepted",
      {{"job", std::to_string(j.id)}, {"command", j.command_key}, {"uuid", j.uuid}});
  return j;
}

/// For a job that nobody was promised and that will not run: Slurm has not taken it, or its start
/// marker is taken.
void job_registry::drop_intent(const job& j) {
  try {
    rows_.remove(j.uuid);
    if (slurm::read_start(job_dir(with_, j.uuid)))
      withdrawn_.insert(j.uuid);
    else
      forget_job(with_, j);
    log("jobs", "withdrawn", {{"uuid", j.uuid}});
  } catch (const failure& f) { // the next start tries again
    log("jobs", "intent_stays", {{"uuid", j.uuid}, {"why", f.what()}});
  }
}

/// Jobs of which no answer of Slurm's is known, after a crash for instance: those that run are
/// ours, and the others never will.
void job_registry::settle_intents(const queue_look& look) {
  for (auto it = intents_.begin(); it != intents_.end();) {
    bool settled = false;
    try {
      settled = settle_intent(it->second, look);
    } catch (const std::exception& e) { // the next look tries again
      log("jobs", "intent_open", {{"uuid", it->first}, {"why", e.what()}});
    }
    it = settled ? intents_.erase(it) : std::next(it);
  }
}

bool job_registry::settle_intent(intent& i, const queue_look& look) {
  if (!i.wanted.array_uuid.empty()) { // of an array that was never whole: Slurm holds it, if at all
    withdraw(i.wanted);
    return true;
  }
  std::int64_t id = 0;
  for (const auto& r : look.jobs) // a job can give its own jobs any name, but they come later
    if (r.name == "jr-" + i.wanted.uuid && (id == 0 || r.id < id))
      id = r.id;
  const auto folder = job_dir(with_, i.wanted.uuid);
  if (id == 0 && std::filesystem::exists(folder / "run") && !slurm::abandon(folder)) {
    const auto marker = slurm::read_start(folder).value_or(slurm::start{});
    id = marker.slurm_id;
    if (i.since == moment{})
      i.since = look.began;
    // Its wrapper takes the marker first and writes its number then.
    if (id == 0 && !marker.abandoned && look.began - i.since < marker_patience)
      return false;
  }
  if (id > 0)
    accept(i.wanted, id);
  else
    drop_intent(i.wanted);
  return true;
}

/// They would not run, only wait and take their turn.
void job_registry::cancel_withdrawn(const queue_look& look) {
  for (const auto& r : look.jobs) {
    if (withdrawn_.empty())
      return;
    if (!r.name.starts_with("jr-") || slurm::is_final(r.state))
      continue;
    const auto uuid = r.name.substr(3);
    if (withdrawn_.erase(uuid) > 0)
      self_->request(next_worker(), caf::infinite, atom::cancel_v, r.id, uuid)
          .then([](bool) {}, [](const caf::error&) {}); // as well as may be
  }
}

} // namespace jobrunner
