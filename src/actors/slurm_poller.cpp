#include "actors/slurm_poller.hpp"

#include "core/error.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr int looks_between_capacities =
    20; // at nodes that start jobs; others are looked at each time
constexpr std::chrono::nanoseconds longest_pause = 3s;

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

/// At most a tenth of a core goes into looking, however large the queue is; but a Slurm that is
/// down, for which a look takes 9 s, is asked again soon.
std::chrono::nanoseconds pause(std::chrono::nanoseconds interval, std::chrono::nanoseconds cost) {
  return std::clamp<std::chrono::nanoseconds>(9 * cost, interval,
                                              std::max(interval, longest_pause));
}

/// Tells the registry what was seen, and looks up in the completion log what it misses.
void tell(poller_actor::stateful_pointer<poller_state> self, const services& with,
          const job_actor& registry, std::shared_ptr<const queue_look> seen) {
  if (self->state.telling) // it waits for a disk: old looks must not queue up there
    return;
  self->state.telling = true;
  self->request(registry, caf::infinite, atom::seen_v, std::move(seen))
      .then(
          [=, &with](const std::vector<std::int64_t>& missing) {
            self->state.telling = false;
            if (missing.empty())
              return;
            recalled found{missing, false, {}};
            try {
              found.jobs = with.slurm.history(missing);
              found.answered = true;
            } catch (const std::exception& e) {
              log("slurm", "no_history", {{"why", e.what()}});
            }
            self->send(registry, atom::recall_v, std::move(found));
          },
          [self](const caf::error&) { self->state.telling = false; }); // it could not keep it
}

void look(poller_actor::stateful_pointer<poller_state> self, const services& with,
          const job_actor& registry) {
  auto& board = with.published.slurm;
  auto view = board.view();
  const bool was_up = view.up;
  const auto began = std::chrono::steady_clock::now();
  try {
    auto seen = std::make_shared<queue_look>();
    seen->began = began;
    seen->jobs = with.slurm.queue();
    if (view.capacity.cpus == 0 || !view.capacity.trouble.empty() ||
        self->state.looks_since_capacity >= looks_between_capacities) {
      view.capacity = with.slurm.ask_capacity();
      self->state.looks_since_capacity = 0;
    }
    ++self->state.looks_since_capacity;
    view.up = view.capacity.cpus > 0;
    view.problem = view.up ? "" : "Slurm has no node that could run a job";
    tell(self, with, registry, std::move(seen));
  } catch (const std::exception& e) {
    view.up = false;
    view.problem = e.what();
  }
  view.b2_mounted = is_mounted(with.settings.b2_mount);
  view.checked_at = now();
  if (view.up != was_up)
    log("slurm", view.up ? "up" : "down", {{"why", view.problem}});
  board.publish(std::move(view));
}

} // namespace

poller_actor::behavior_type slurm_poller(poller_actor::stateful_pointer<poller_state> self,
                                         const services& with, const job_actor& registry) {
  self->send(self, atom::tick_v);
  return {
      [=, &with](atom::tick) {
        const auto before = std::chrono::steady_clock::now();
        look(self, with, registry);
        const auto cost = std::chrono::steady_clock::now() - before;
        self->delayed_send(self, pause(with.settings.poll_interval, cost), atom::tick_v);
      },
  };
}

} // namespace jobrunner
