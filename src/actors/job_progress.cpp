#include "actors/job_progress.hpp"

#include "slurm/state.hpp"

#include <algorithm>
#include <tuple>

namespace jobrunner {

namespace {

void take_exit(job& j, const slurm::exit_record& record) {
  j.exit_code = record.exit_code;
  if (record.signal != 0)
    j.exit_signal = record.signal;
  if (!j.started_at)
    j.started_at = record.started_at;
  j.ended_at = record.ended_at;
  j.attempt = std::max(j.attempt, record.attempt);
}

auto visible(const job& j) {
  return std::tie(j.state, j.done, j.reason, j.node, j.exit_code, j.exit_signal, j.started_at,
                  j.ended_at, j.attempt);
}

/// Whether the job had ended before the start that Slurm speaks of, or ran though Slurm knows of no
/// start. After a crash slurmctld can take a job for waiting that runs or has run, and then calls
/// its end, or that of a start that comes to nothing, CANCELLED.
bool ran_unseen(const slurm::report& r, const slurm::exit_record& record) {
  return r.node.empty() || (r.started_at && record.ended_at < *r.started_at);
}

/// Certainly not there: what cannot be looked at may be.
bool is_missing(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::symlink_status(path, ignored).type() ==
         std::filesystem::file_type::not_found;
}

} // namespace

bool waits_on(const job& was, const slurm::report& now) {
  return now.state == "PENDING" && was.state == now.state && now.node.empty() &&
         slurm::explain(now.state, now.reason, was.exit_code.value_or(0),
                        was.exit_signal.value_or(0)) == was.reason;
}

std::optional<job> progress(const job& was, const slurm::report& now,
                            const std::filesystem::path& job_dir) {
  if (slurm::is_final(now.state))
    if (const auto record = slurm::read_exit(job_dir); record && ran_unseen(now, *record))
      return ended_by_record(was, *record);
  auto next = was;
  next.state = now.state;
  next.done = slurm::is_final(now.state);
  next.node = now.node.empty() ? was.node : now.node;
  if (now.started_at)
    next.started_at = now.started_at;
  if (next.done || now.state == "RUNNING")
    if (const auto start = slurm::read_start(job_dir))
      next.attempt = std::max(was.attempt, start->attempt);
  if (next.done) {
    next.ended_at = now.ended_at;
    next.exit_code = now.exit_code;
    next.exit_signal = now.signal && *now.signal != 0 ? now.signal : std::nullopt;
    if (const auto record = slurm::read_exit(job_dir); record && now.state != "CANCELLED")
      take_exit(next, *record);
    if (!next.ended_at)
      next.ended_at = jobrunner::now();
  }
  next.reason = slurm::explain(now.state, now.reason, next.exit_code.value_or(0),
                               next.exit_signal.value_or(0));
  if (next.done && next.state == "CANCELLED" && !was.cancel_requested)
    next.reason = "cancelled, but not through this API";
  if (visible(next) == visible(was))
    return std::nullopt;
  ++next.seq;
  return next;
}

bool ended_unstarted(const slurm::report& now, const std::filesystem::path& job_dir) {
  // A reason that is true of jobs that wait, too.
  if ((now.state != "COMPLETED" && now.state != "FAILED") || now.reason == "BadConstraints")
    return false;
  const auto run = job_dir / "run";
  std::error_code ignored;
  return std::filesystem::is_directory(run, ignored) && is_missing(run / "start") &&
         is_missing(run / "exit.json");
}

job never_started(const job& was, const slurm::report& now) {
  auto next = was;
  next.state = "FAILED";
  next.done = true;
  next.node = now.node.empty() ? was.node : now.node;
  next.ended_at = now.ended_at ? *now.ended_at : jobrunner::now();
  next.reason = "the job never started, though it was submitted again; Slurm says " + now.state;
  if (now.reason == "JobLaunchFailure")
    next.reason += ": " + slurm::explain(now.state, now.reason, now.exit_code.value_or(0),
                                         now.signal.value_or(0));
  else if (now.exit_code)
    next.reason += " with exit code " + std::to_string(*now.exit_code);
  ++next.seq;
  return next;
}

job ended_by_record(const job& was, const slurm::exit_record& record) {
  auto next = was;
  const bool well = record.exit_code == 0 && record.signal == 0;
  next.state = well ? "COMPLETED" : was.cancel_requested ? "CANCELLED" : "FAILED";
  next.done = true;
  take_exit(next, record);
  next.reason = slurm::explain(next.state, "", record.exit_code, record.signal);
  ++next.seq;
  return next;
}

std::optional<job> runs_unknown(const job& was, std::int64_t attempt) {
  auto next = was;
  next.state = "RUNNING";
  next.attempt = std::max(was.attempt, attempt);
  next.reason = "Slurm no longer knows the job, but it still runs";
  if (visible(next) == visible(was))
    return std::nullopt;
  ++next.seq;
  return next;
}

job lost(const job& was, const std::string& why) {
  auto next = was;
  next.state = "LOST";
  next.done = true;
  next.ended_at = now();
  next.reason = why;
  ++next.seq;
  return next;
}

job cancelled_unstarted(const job& was) {
  auto next = was;
  next.state = "CANCELLED";
  next.done = true;
  next.ended_at = now();
  next.reason = "cancelled";
  ++next.seq;
  return next;
}

} // namespace jobrunner
