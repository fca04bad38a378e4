// What job_registry does about a job that it was promised and that Slurm no longer knows: a
// slurmctld that was killed, or whose state was wiped, forgets jobs it has acknowledged.
#include "actors/errors.hpp"
#include "actors/job_intake.hpp"
#include "actors/job_progress.hpp"
#include "actors/job_registry.hpp"
#include "core/log.hpp"
#include "slurm/job_dir.hpp"
#include "slurm/run_lock.hpp"

namespace jobrunner {

/// What becomes of it, as far as it is known by now. Nothing Slurm said is taken for "it has never
/// been there" before some time has passed.
std::optional<job> job_registry::unknown_to_slurm(open_job& o, bool answered) {
  const auto folder = job_dir(with_, o.now.uuid);
  const bool runs = slurm::is_locked(folder); // asked first: the record is written before it ends
  if (const auto record = slurm::read_exit(folder))
    return ended_by_record(o.now, *record);
  const auto start = slurm::read_start(folder);
  if (runs)
    return runs_unknown(o.now, start.value_or(slurm::start{}).attempt);
  if (!answered || o.submitting || looked_ - o.missing < with_.settings.lost_after)
    return std::nullopt;
  if (o.elsewhere > 0) { // submitted again, by a server that could not note down the number
    submitted_again(o.now, o.elsewhere);
    return std::nullopt;
  }
  if (start)
    return lost(o.now, "Slurm no longer knows the job, which had started; how it ended is not "
                       "recorded");
  if (o.now.cancel_requested)
    return cancelled_unstarted(o.now);
  slurm::submission order;
  try {
    order = submission(o.now); // what it waits for may have another number by now
  } catch (const failure& f) {
    if (f.code() == errc::conflict) // or it has ended badly
      return cancelled_unstarted(o.now);
    return std::nullopt; // or Slurm must have that one again first
  }
  submit_again(o.now, std::move(order));
  return std::nullopt;
}

/// The same job: should Slurm still have the first one somewhere, its wrapper runs only one.
void job_registry::submit_again(const job& j, slurm::submission order) {
  log("jobs", "lost_by_slurm", {{"job", std::to_string(j.id)}, {"uuid", j.uuid}});
  open_[j.id].submitting = true;
  const auto not_after = std::chrono::steady_clock::now() + with_.settings.slurm_timeout;
  self_
      ->request(next_worker(), caf::infinite, atom::submit_v,
                submit_order{std::move(order), not_after, true})
      .then([this, j](std::int64_t slurm_id) { submitted_again(j, slurm_id); },
            [this, j](const caf::error& e) { not_submitted_again(j, to_failure(e)); });
}

void job_registry::submitted_again(const job& j, std::int64_t slurm_id) {
  log("jobs", "submitted_again",
      {{"job", std::to_string(j.id)}, {"slurm_id", std::to_string(slurm_id)}});
  const auto it = open_.find(j.id);
  const bool wanted = it != open_.end() && !it->second.now.cancel_requested;
  if (it != open_.end()) {
    auto& o = it->second;
    o.submitting = false;
    o.missing = {};
    o.accepted = std::chrono::steady_clock::now();
    auto next = o.now;
    next.slurm_id = slurm_id;
    next.state = "PENDING";
    next.reason = "submitted again: Slurm had lost it";
    ++next.seq;
    keep(next);
  }
  if (!wanted) // cancelled meanwhile
    self_->request(next_worker(), caf::infinite, atom::cancel_v, slurm_id, j.uuid)
        .then([](bool) {}, [](const caf::error&) {}); // as well as may be
  with_.look_now->ring();
}

void job_registry::not_submitted_again(const job& j, const failure& why) {
  const auto it = open_.find(j.id);
  if (it == open_.end())
    return;
  it->second.submitting = false;
  log("jobs", "not_submitted_again", {{"job", std::to_string(j.id)}, {"why", why.what()}});
  if (why.code() == errc::invalid) // and will not take it later
    keep(lost(it->second.now,
              "Slurm has lost the job, which had not started, and will not take it again: " +
                  std::string{why.what()}));
}

} // namespace jobrunner
