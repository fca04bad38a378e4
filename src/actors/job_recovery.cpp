// What job_registry does where Slurm does not know the truth about a job: a slurmctld that was
// killed, or whose state was wiped, forgets jobs it has acknowledged, and the ends of others.
#include "actors/errors.hpp"
#include "actors/job_intake.hpp"
#include "actors/job_progress.hpp"
#include "actors/job_registry.hpp"
#include "core/log.hpp"
#include "slurm/job_dir.hpp"
#include "slurm/run_lock.hpp"

#include <algorithm>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr auto lost_by_slurm = "Slurm had lost it";
const std::string ended_early = "Slurm had ended it before it started, as ";
constexpr auto read_records_after = 1s;
constexpr std::size_t records_at_once = 50; // some microseconds each

/// Slurm's number of a second start that nobody could note down: sbatch did not answer in time, or
/// the server died. 0: there is none.
std::int64_t started_as(const job& j, const slurm::report& r, const std::filesystem::path& folder) {
  if (j.slurm_id != j.id || (r.state != "COMPLETED" && r.state != "FAILED"))
    return 0;
  const auto start = slurm::read_start(folder);
  return start && start->slurm_id > j.slurm_id ? start->slurm_id : 0;
}

} // namespace

/// What Slurm says, but for ends of jobs that have not begun: a slurmd that cannot start calls them
/// COMPLETED, and after a crash one may have removed a job's script, which then is FAILED.
std::optional<job> job_registry::shown_by_slurm(open_job& o, const slurm::report& r) {
  if (r.state != "RUNNING")
    o.recorded = {};
  if (waits_on(o.now, r))
    return std::nullopt;
  const auto folder = job_dir(with_, o.now.uuid);
  const bool with_another =
      r.state == "CANCELLED" && r.node.empty() && waits_for_second_start(o.now);
  if (const auto other = started_as(o.now, r, folder); other > 0) {
    submitted_again(o.now, other, ended_early + r.state);
    return std::nullopt;
  }
  if (!with_another && !ended_unstarted(r, folder))
    return progress(o.now, r, folder);
  if (o.submitting) // Slurm still shows the first one
    return std::nullopt;
  if (o.now.cancel_requested)
    return cancelled_unstarted(o.now);
  if (o.now.slurm_id != o.now.id) // it has been submitted again before
    return with_another ? progress(o.now, r, folder) : never_started(o.now, r);
  return start_again(o, ended_early + r.state);
}

/// Whether one that had to succeed first has yet to: Slurm cancels what waits for a job that it
/// calls FAILED.
bool job_registry::waits_for_second_start(const job& j) const {
  return std::ranges::any_of(j.extras.after, [this](std::int64_t id) {
    const auto it = open_.find(id);
    return it != open_.end() && (it->second.submitting || it->second.now.slurm_id != id);
  });
}

/// The ends of jobs that run for Slurm. A slurmctld that was killed before it wrote an end down
/// would show them until their time limit. A few at each look, in turn; `running`: in order.
std::vector<job> job_registry::ended_unseen(const std::vector<std::int64_t>& running, moment look) {
  std::vector<job> ended;
  if (running.empty() || look - records_read_ < read_records_after)
    return ended;
  records_read_ = look;
  auto it = std::ranges::upper_bound(running, record_read_);
  for (auto left = std::min(running.size(), records_at_once); left > 0; --left, ++it) {
    if (it == running.end())
      it = running.begin();
    record_read_ = *it;
    auto& o = open_.at(*it);
    const auto folder = job_dir(with_, o.now.uuid);
    const auto record = slurm::read_exit(folder);
    if (!record || slurm::is_locked(folder)) { // or it still clears up
      o.recorded = {};
      continue;
    }
    if (o.recorded == moment{})
      o.recorded = look;
    if (look - o.recorded < with_.settings.lost_after) // slurmstepd tells slurmctld when it is back
      continue;
    log("jobs", "end_lost_by_slurm", {{"job", std::to_string(*it)}});
    ended.push_back(ended_by_record(o.now, *record));
  }
  return ended;
}

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
    submitted_again(o.now, o.elsewhere, lost_by_slurm);
    return std::nullopt;
  }
  if (start)
    return lost(o.now, "Slurm no longer knows the job, which had started; how it ended is not "
                       "recorded");
  if (o.now.cancel_requested)
    return cancelled_unstarted(o.now);
  return start_again(o, lost_by_slurm);
}

/// What it waited for may have ended badly meanwhile; what it became then.
std::optional<job> job_registry::start_again(open_job& o, const std::string& why) {
  slurm::submission order;
  try {
    order = submission(o.now); // what it waits for may have another number by now
  } catch (const failure& f) {
    if (f.code() == errc::conflict) // or it has ended badly
      return cancelled_unstarted(o.now);
    return std::nullopt; // or Slurm must have that one again first
  }
  submit_again(o.now, std::move(order), why);
  return std::nullopt;
}

/// The same job: should Slurm still have the first one somewhere, its wrapper runs only one.
void job_registry::submit_again(const job& j, slurm::submission order, const std::string& why) {
  log("jobs", "submitting_again", {{"job", std::to_string(j.id)}, {"uuid", j.uuid}, {"why", why}});
  open_[j.id].submitting = true;
  const auto not_after = std::chrono::steady_clock::now() + with_.settings.slurm_timeout;
  self_
      ->request(next_worker(), caf::infinite, atom::submit_v,
                submit_order{std::move(order), not_after, true})
      .then([this, j, why](std::int64_t slurm_id) { submitted_again(j, slurm_id, why); },
            [this, j](const caf::error& e) { not_submitted_again(j, to_failure(e)); });
}

void job_registry::submitted_again(const job& j, std::int64_t slurm_id, const std::string& why) {
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
    next.reason = "submitted again: " + why;
    next.node.clear();
    next.started_at.reset(); // that was Slurm's word
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
    keep(lost(it->second.now, "the job had not started, and Slurm will not take it again: " +
                                  std::string{why.what()}));
}

} // namespace jobrunner
