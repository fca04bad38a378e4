#include "actors/slurm_poller.hpp"

#include "actors/errors.hpp"
#include "core/error.hpp"
#include "core/log.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

// At nodes that start jobs, and at partitions; where one does not, both are looked at each time.
constexpr int looks_between_turns = 10;
constexpr auto young = 1s; // what somebody asked about the nodes serves the next one too

/// Whether something is mounted there. Reads a list of the kernel's: a stat would hang with the
/// mount.
bool is_mounted(const std::filesystem::path& where) {
  std::ifstream mounts{"/proc/self/mounts"};
  std::string device, path, rest;
  while (mounts >> device >> path && std::getline(mounts, rest))
    if (path == where)
      return true;
  return false;
}

/// Why the bucket cannot be read, as instance.py's s3fs says it; empty if it can, or it said
/// nothing.
std::string bucket_problem(const config& settings) {
  std::ifstream file{settings.root / "run/b2_problem"};
  std::string line;
  std::getline(file, line);
  return line;
}

void see_bucket(const config& settings, slurm_view& view) {
  view.b2_problem = settings.b2_enabled ? bucket_problem(settings) : "";
  view.b2_mounted = is_mounted(settings.b2_mount) && view.b2_problem.empty();
}

/// Whether Slurm will show the job in another state at once. It gives no reason for a pending job
/// that it has not considered yet.
bool is_moving(const slurm::report& r) {
  return r.name.starts_with("jr-") && (r.state == "COMPLETING" || r.state == "CONFIGURING" ||
                                       (r.state == "PENDING" && r.reason.empty()));
}

} // namespace

slurm_poller::slurm_poller(poller_actor::pointer self, const services& with, job_actor registry)
    : self_(self),
      with_(with),
      registry_(std::move(registry)),
      pace_(with.settings.poll_interval) {
  // Weak: whoever holds a handle to itself never ends.
  with_.look_now->on_ring([address = self->address()] {
    if (const auto poller = caf::actor_cast<caf::strong_actor_ptr>(address))
      caf::anon_send(caf::actor_cast<poller_actor>(poller), atom::hint_v);
  });
  self_->send(self_, atom::tick_v, set_);
}

slurm_poller::~slurm_poller() {
  with_.look_now->on_ring({});
}

void slurm_poller::tick(std::uint64_t set) {
  if (set == set_)
    look();
}

void slurm_poller::hint() {
  hinted_ = true;
  const auto now = clock::now();
  const auto rest = pace_.hinted(now);
  if (rest <= look_pace::span{})
    look();
  else if (now + rest < due_)
    wait(rest);
}

void slurm_poller::wait(look_pace::span pause) {
  due_ = clock::now() + pause;
  self_->delayed_send(self_, pause, atom::tick_v, ++set_);
}

void slurm_poller::look() {
  with_.look_now->heard();
  const auto began = clock::now();
  auto view = with_.published.slurm.view();
  const bool was_up = view.up;
  view.answers = false;
  try {
    ask(view);
  } catch (const std::exception& e) {
    view.up = false;
    view.problem = e.what();
  }
  see_bucket(with_.settings, view);
  view.checked_at = now();
  if (view.up != was_up)
    log("slurm", view.up ? "up" : "down", {{"why", view.problem}});
  with_.published.slurm.publish(std::move(view));
  const auto ended = clock::now();
  const auto pause = pace_.looked(ended, ended - began, moving_);
  hurried_ = pause < with_.settings.poll_interval;
  wait(pause);
}

/// One look, as far as Slurm answers: one command, where all is well.
void slurm_poller::ask(slurm_view& view) {
  const bool trouble = !view.up || !view.capacity.trouble.empty();
  const bool busy = hinted_ || hurried_; // something happens in the queue
  const bool turn = looks_since_turn_ >= looks_between_turns * (busy ? 2 : 1);
  if (trouble || busy || !turn)
    ask_queue(view);
  if (trouble || turn) {
    if (!watch_)
      watch_log();
    const bool nodes = std::exchange(nodes_turn_, !nodes_turn_);
    ask_cluster(view, trouble || nodes, trouble || !nodes);
  }
  view.up = view.capacity.cpus > 0;
  view.problem = view.up ? "" : "Slurm has no node that could run a job";
}

void slurm_poller::ask_queue(slurm_view& view) {
  hinted_ = moving_ = false;
  auto seen = std::make_shared<queue_look>();
  seen->began = clock::now();
  seen->jobs = with_.slurm.queue();
  ++looks_since_turn_;
  view.answers = true;
  view.answered = seen->began;
  view.answered_at = now();
  moving_ = std::ranges::any_of(seen->jobs, is_moving);
  tell(std::move(seen));
}

void slurm_poller::ask_cluster(slurm_view& view, bool nodes, bool partitions) {
  looks_since_turn_ = 0;
  if (nodes) {
    cluster_.nodes = with_.slurm.nodes();
    nodes_at_ = clock::now();
  }
  if (partitions)
    cluster_.partitions = with_.slurm.partitions();
  view.answers = true;
  view.capacity = slurm::capacity_of(cluster_);
}

const slurm::cluster& slurm_poller::cluster() {
  if (clock::now() - nodes_at_ >= young) {
    auto view = with_.published.slurm.view();
    ask_cluster(view, true, true);
    with_.published.slurm.publish(std::move(view));
  }
  return cluster_;
}

/// From now on each job that ends rings.
void slurm_poller::watch_log() {
  std::string why;
  try {
    if (const auto path = with_.slurm.completion_log()) {
      watch_ = std::make_unique<slurm::log_watch>(*path, [bell = with_.look_now] { bell->ring(); });
      log("slurm", "watching", {{"completion_log", path->string()}});
      return;
    }
    why = "Slurm keeps none (JobCompType)";
  } catch (const failure& f) {
    why = f.what();
  }
  if (!unwatched_said_)
    log("slurm", "no_completion_log", {{"why", why}, {"instead", "the clock alone"}});
  unwatched_said_ = true;
}

void slurm_poller::tell(std::shared_ptr<const queue_look> seen) {
  again_ = telling_;
  if (telling_) // it waits for a disk: old looks must not queue up there
    return;
  telling_ = true;
  const auto answered = [this] {
    telling_ = false;
    if (again_)
      with_.look_now->ring();
  };
  self_->request(registry_, caf::infinite, atom::seen_v, std::move(seen))
      .then(
          [this, answered](const std::vector<std::int64_t>& missing) {
            answered();
            recall(missing);
          },
          [answered](const caf::error&) { answered(); }); // it could not keep it
}

/// Looks up in the completion log what the registry misses in the queue.
void slurm_poller::recall(const std::vector<std::int64_t>& missing) {
  if (missing.empty())
    return;
  recalled found{missing, false, {}};
  try {
    found.jobs = with_.slurm.history(missing);
    found.answered = true;
  } catch (const std::exception& e) {
    log("slurm", "no_history", {{"why", e.what()}});
  }
  self_->send(registry_, atom::recall_v, std::move(found));
}

poller_actor::behavior_type slurm_poller_actor(poller_actor::stateful_pointer<poller_state> self,
                                               const services& with, const job_actor& registry) {
  self->state.it = std::make_unique<slurm_poller>(self, with, registry);
  auto* poller = self->state.it.get();
  return {[poller](atom::tick, std::uint64_t set) { poller->tick(set); },
          [poller](atom::hint) { poller->hint(); },
          [poller](atom::get) { return answer([poller] { return poller->cluster(); }); }};
}

} // namespace jobrunner
