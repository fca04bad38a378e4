// What job_registry lets clients do to a job after its submit, and what else they have a say in:
// its dependencies, and how its end is told.
#include "actors/errors.hpp"
#include "actors/job_intake.hpp"
#include "actors/job_registry.hpp"
#include "core/log.hpp"
#include "slurm/array_spec.hpp"
#include "slurm/job_extras.hpp"
#include "slurm/log_tail.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <limits>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_grace = 1h;
constexpr auto kill_again_after = 10s;
constexpr auto cancel_again_after = 15s;

std::string named(const job& j) {
  return "job " + std::to_string(j.id);
}

bool waits(const job& j) {
  return j.state == "PENDING" || j.state == "REQUEUED" || j.state == "REQUEUE_HOLD";
}

} // namespace

/// Slurm's numbers of the jobs that another one waits for; those that have succeeded need none.
/// Throws failure: invalid (there is no such job), conflict (it has ended otherwise).
std::vector<std::int64_t> job_registry::slurm_ids_of(const std::vector<std::int64_t>& after) {
  std::vector<std::int64_t> ids;
  for (const auto id : after) {
    job first;
    try {
      first = get(id);
    } catch (const failure& f) {
      if (f.code() != errc::not_found)
        throw;
      throw failure(errc::invalid, std::string{"after: "} + f.what());
    }
    if (first.done && first.state != "COMPLETED")
      throw failure(errc::conflict, "after: " + named(first) + " has ended as " + first.state +
                                        ", so a job that needs its success would never start");
    if (!first.done)
      ids.push_back(known_slurm_id(first));
  }
  return ids;
}

/// Slurm takes a job that it does not know for one that has succeeded.
std::int64_t job_registry::known_slurm_id(const job& j) const {
  const auto it = open_.find(j.id);
  if (it == open_.end() || it->second.missing != moment{} || it->second.submitting)
    throw failure(errc::unavailable, "Slurm does not know " + named(j) + " just now; try again");
  return it->second.now.slurm_id;
}

/// What sbatch gets, with what the job waits for as Slurm numbers it now.
slurm::submission job_registry::submission(const job& j) {
  auto s = submission_of(with_, j);
  s.after_ok = slurm_ids_of(j.extras.after);
  if (const auto* before = lane_before(j))
    s.after_any.push_back(known_slurm_id(*before));
  return s;
}

/// The task that another one of its array waits for so that no more run at once than may; null if
/// there is none, or if it has ended.
const job* job_registry::lane_before(const job& j) const {
  if (j.array_uuid.empty() || j.id == 0)
    return nullptr;
  const auto spec = slurm::parse_array(j.array_spec, std::numeric_limits<std::size_t>::max());
  const auto place = std::ranges::find(spec.indices, j.array_index) - spec.indices.begin();
  if (spec.at_once == 0 || place < spec.at_once || place == std::ssize(spec.indices))
    return nullptr;
  const auto index = spec.indices[static_cast<std::size_t>(place - spec.at_once)];
  for (const auto& [id, o] : open_)
    if (o.now.array_uuid == j.array_uuid && o.now.array_index == index)
      return &o.now;
  return nullptr;
}

/// What is said of a job that has just ended, as one of several changes of a look.
void job_registry::complete_ending(job& j, const std::vector<job>& with_it) {
  // Its signal came with the cancel, through the wrapper: Slurm does not know why it ended so.
  if (j.state == "FAILED" && j.cancel_requested &&
      (j.exit_signal || j.exit_code.value_or(0) > 128)) {
    j.state = "CANCELLED";
    j.reason = "cancelled: " + j.reason;
  }
  if (j.state == "CANCELLED" && !j.cancel_requested && !j.started_at)
    for (const auto id : j.extras.after) {
      const auto other = std::ranges::find(with_it, id, &job::id);
      const auto first = other != with_it.end() ? *other : get(id);
      if (first.done && first.state != "COMPLETED")
        j.reason =
            "never started: " + named(first) + ", which had to succeed first, is " + first.state;
    }
  if (j.state != "COMPLETED")
    j.log_tail = slurm::log_tail(with_.settings.root, j.log_path);
}

caf::result<job> job_registry::cancel(const cancel_order& order) {
  const auto signal =
      order.signal.empty() ? std::string{} : slurm::signal_name(order.signal, "signal");
  auto current = get(order.id);
  if (current.done)
    return current;
  const bool gently = !signal.empty() && signal != "KILL" && order.grace > 0s;
  auto changed = current;
  changed.cancel_requested = true; // noted first: a look may show the end before scancel has ended
  if (gently && !current.kill_at)  // a second signal does not put the end off
    changed.kill_at = now() + std::min<std::chrono::seconds>(order.grace, longest_grace);
  if (!current.cancel_requested || changed.kill_at != current.kill_at) {
    ++changed.seq;
    keep(changed);
    if (changed.kill_at)
      arm_kill(changed);
  }
  if (const auto it = open_.find(order.id); it != open_.end())
    it->second.cancel_sent = std::chrono::steady_clock::now();
  auto promise = self_->make_response_promise<job>();
  const auto ok = [this, id = order.id, promise](bool) mutable {
    with_.look_now->ring();
    fulfil(promise, [&] { return get(id); });
  };
  const auto failed = [promise](const caf::error& e) mutable { promise.deliver(e); };
  if (gently)
    self_->request(next_worker(), caf::infinite, atom::signal_v, current.uuid, signal)
        .then(ok, failed);
  else
    self_->request(next_worker(), caf::infinite, atom::cancel_v, current.slurm_id, current.uuid)
        .then(ok, failed);
  return promise;
}

/// What was cancelled and still is in the queue: slurmctld may have gone back to what it was
/// before.
void job_registry::cancel_again(open_job& o, moment look) {
  const bool due = o.now.cancel_requested && (!o.now.kill_at || *o.now.kill_at <= now());
  if (!due || look - o.cancel_sent < cancel_again_after)
    return;
  o.cancel_sent = look;
  self_->request(next_worker(), caf::infinite, atom::cancel_v, o.now.slurm_id, o.now.uuid)
      .then([](bool) {}, [](const caf::error&) {}); // the next look tries again
}

/// The end of a cancel's grace outlives this process: it is in the row.
void job_registry::arm_kill(const job& j) {
  if (j.kill_at)
    self_->delayed_send(
        self_, std::clamp<std::chrono::milliseconds>(*j.kill_at - now(), 0ms, longest_grace),
        atom::kill_v, j.id);
}

void job_registry::kill(std::int64_t id) {
  const auto it = open_.find(id);
  if (it == open_.end()) // it has ended by itself
    return;
  const auto& j = it->second.now;
  self_->request(next_worker(), caf::infinite, atom::cancel_v, j.slurm_id, j.uuid)
      .then([](bool) {},
            [this, id](const caf::error&) {
              self_->delayed_send(self_, kill_again_after, atom::kill_v, id);
            });
}

caf::result<job> job_registry::hold(std::int64_t id, bool on) {
  const auto current = get(id);
  const std::string wish = on ? "held" : "released";
  if (current.done)
    throw failure(errc::conflict,
                  named(current) + " has ended as " + current.state + ", so it cannot be " + wish);
  if (current.held == on)
    return current;
  if (on && !waits(current))
    throw failure(errc::conflict,
                  named(current) + " is " + current.state + "; only a job that waits can be held");
  unreleased_.erase(current.uuid);
  auto promise = self_->make_response_promise<job>();
  self_->request(next_worker(), caf::infinite, atom::hold_v, std::vector{current.uuid}, on)
      .then(
          [this, id, on, promise](bool) mutable {
            fulfil(promise, [&] {
              auto now = get(id);
              now.held = on;
              ++now.seq;
              keep(now); // Slurm has done it
              with_.look_now->ring();
              return now;
            });
          },
          [promise](const caf::error& e) mutable { promise.deliver(e); });
  return promise;
}

bool job_registry::remove(std::int64_t id) {
  const auto j = get(id);
  if (!j.done)
    throw failure(errc::conflict, named(j) + " is " + j.state +
                                      "; it can be deleted when it has ended (cancel it, or wait)");
  for (const auto& [other, o] : open_)
    if (std::ranges::find(o.now.extras.after, id) != o.now.extras.after.end())
      throw failure(errc::conflict,
                    named(o.now) + " needs to know how " + named(j) +
                        " has ended; it can be deleted when that one has ended too");
  deletions_.remove(j);
  with_.published.jobs.remove(id);
  log("jobs", "deleted", {{"job", std::to_string(id)}, {"uuid", j.uuid}});
  self_->send(remover_, atom::tick_v);
  return true;
}

} // namespace jobrunner
