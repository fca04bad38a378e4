// How job_registry brings a job to Slurm: an intent first, durable, so that whatever happens then
// the job is found again or will never run.
#include "actors/errors.hpp"
#include "actors/job_intake.hpp"
#include "actors/job_registry.hpp"
#include "core/log.hpp"
#include "slurm/job_dir.hpp"
#include "slurm/state.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_submitting = 256; // beyond, a client is told to come again
constexpr auto marker_patience = 30s;        // for a wrapper to write its number into its marker

std::int64_t number_in(const std::string& text) {
  std::int64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);
  return id;
}

} // namespace

caf::result<job> job_registry::submit(const job_request& r) {
  if (submitting_ >= most_submitting)
    throw failure(errc::unavailable,
                  std::to_string(submitting_) + " jobs are being submitted; try again");
  if (const auto slurm = with_.published.slurm.view(); !slurm.up)
    throw failure(errc::unavailable, "Slurm does not answer (" + slurm.problem + "); try again");
  auto j = prepare_job(with_, r);
  try {
    rows_.insert_intent(j); // durable before Slurm hears of it
  } catch (...) {
    forget_job(with_, j);
    throw;
  }
  ++submitting_;
  auto promise = self_->make_response_promise<job>();
  const auto not_after = std::chrono::steady_clock::now() + with_.settings.slurm_timeout;
  self_
      ->request(next_worker(), caf::infinite, atom::submit_v,
                submit_order{submission_of(with_, j), not_after})
      .then(
          [this, j, promise](std::int64_t slurm_id) mutable {
            --submitting_;
            fulfil(promise, [&] { return accept(j, slurm_id); });
          },
          [this, j, promise](const caf::error& e) mutable {
            --submitting_;
            if (slurm::started_by(job_dir(with_, j.uuid)).value_or("abandoned") == "abandoned")
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
  if (!open_.contains(slurm_id) && !rows_.find(slurm_id))
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
  log("jobs", "accepted",
      {{"job", std::to_string(j.id)}, {"command", j.command_key}, {"uuid", j.uuid}});
  return j;
}

/// For a job that nobody was promised and that will not run: Slurm has not taken it, or its start
/// marker is taken.
void job_registry::drop_intent(const job& j) {
  try {
    rows_.remove(j.uuid);
    if (slurm::started_by(job_dir(with_, j.uuid)))
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
  std::int64_t id = 0;
  for (const auto& r : look.jobs) // a job can give its own jobs any name, but they come later
    if (r.name == "jr-" + i.wanted.uuid && (id == 0 || r.id < id))
      id = r.id;
  const auto folder = job_dir(with_, i.wanted.uuid);
  if (id == 0 && std::filesystem::exists(folder / "run") &&
      !slurm::take_start(folder, "abandoned")) {
    const auto marker = slurm::started_by(folder).value_or("");
    id = number_in(marker);
    if (i.since == moment{})
      i.since = look.began;
    // Its wrapper takes the marker first and writes its number then.
    if (id == 0 && marker != "abandoned" && look.began - i.since < marker_patience)
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
