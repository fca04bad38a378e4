// What job_registry makes of a look at Slurm.
#include "actors/job_intake.hpp"
#include "actors/job_progress.hpp"
#include "actors/job_registry.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "slurm/job_dir.hpp"
#include "slurm/state.hpp"

#include <algorithm>
#include <unordered_map>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_recalled = 1000; // at once: they are arguments of one command
constexpr auto ghost_after = 5s, ghost_again_after = 15s;

/// The jobs of a look by name; of those that share one the oldest: a job can give its own jobs any
/// name, but they come later. Made when first asked for, as most looks miss nothing.
class by_job_name {
public:
  explicit by_job_name(const queue_look& look) : look_(look) {}

  /// 0: none.
  std::int64_t id(const std::string& uuid) {
    if (ids_.empty())
      for (const auto& r : look_.jobs) {
        auto& id = ids_[r.name];
        id = id == 0 ? r.id : std::min(id, r.id);
      }
    const auto it = ids_.find("jr-" + uuid);
    return it == ids_.end() ? 0 : it->second;
  }

private:
  const queue_look& look_;
  std::unordered_map<std::string, std::int64_t> ids_;
};

} // namespace

std::vector<std::int64_t> job_registry::seen(const queue_look& look) {
  looked_ = look.began;
  settle_intents(look);
  cancel_withdrawn(look);
  release_tasks();
  std::unordered_map<std::int64_t, const slurm::report*> by_id;
  for (const auto& r : look.jobs)
    by_id.emplace(r.id, &r);
  by_job_name named{look};
  std::vector<job> changed;
  std::vector<std::int64_t> missing, running;
  for (auto& [id, o] : open_) {
    const auto it = by_id.find(o.now.slurm_id);
    const bool shown = it != by_id.end() && it->second->name == "jr-" + o.now.uuid;
    auto next = shown ? shown_by_slurm(o, *it->second) : std::nullopt;
    if (shown) {
      o.missing = {};
      if (it->second->state == "RUNNING")
        running.push_back(id);
      if (!slurm::is_final(it->second->state))
        cancel_again(o, look.began);
      by_id.erase(it);
    } else if (o.accepted < look.began) {
      if (o.missing == moment{})
        o.missing = look.began;
      o.elsewhere = named.id(o.now.uuid);
      if (missing.size() < most_recalled)
        missing.push_back(o.now.slurm_id);
    }
    if (next)
      changed.push_back(std::move(*next));
    else if (o.unsaved)
      changed.push_back(o.now);
  }
  for (auto& ended : ended_unseen(running, look.began)) {
    std::erase_if(changed, [&](const job& j) { return j.id == ended.id; });
    changed.push_back(std::move(ended));
  }
  commit(changed);
  std::vector<const slurm::report*> others;
  for (const auto& [id, r] : by_id)
    if (r->name.starts_with("jr-") && !slurm::is_final(r->state))
      others.push_back(r);
  end_ghosts(others, look.began);
  return missing;
}

/// A slurmctld that died and came back with an older state holds CPUs and GPUs for jobs that have
/// ended since, as long as their time limit allows.
void job_registry::end_ghosts(const std::vector<const slurm::report*>& unexpected, moment look) {
  std::map<std::string, moment> still;
  for (const auto* r : unexpected) {
    const auto uuid = r->name.substr(3);
    const auto before = ghosts_.find(uuid);
    if (before != ghosts_.end() && look - before->second < ghost_again_after) {
      still.insert(*before);
      continue;
    }
    const auto j = rows_.find_uuid(uuid);
    // One that has just ended may still be cleared up.
    if (!j || !j->done || j->slurm_id != r->id || now() - j->ended_at.value_or(now()) < ghost_after)
      continue;
    still.emplace(uuid, look);
    log("jobs", "ended_but_held_by_slurm",
        {{"job", std::to_string(j->id)}, {"slurm_state", r->state}});
    self_->request(next_worker(), caf::infinite, atom::cancel_v, r->id, uuid)
        .then([](bool) {}, [](const caf::error&) {}); // a later look tries again
  }
  ghosts_ = std::move(still);
}

void job_registry::recall(const recalled& found) {
  const std::set<std::int64_t> asked(found.asked.begin(), found.asked.end());
  std::vector<job> changed;
  for (auto& [id, o] : open_) {
    if (!asked.contains(o.now.slurm_id) || o.missing == moment{})
      continue;
    // What accounting still takes for running, and the queue does not show, has not ended well.
    const auto it = std::ranges::find_if(found.jobs, [&now = o.now](const slurm::report& r) {
      return r.id == now.slurm_id && r.name == "jr-" + now.uuid && slurm::is_final(r.state);
    });
    std::optional<job> next;
    if (it != found.jobs.end())
      next = shown_by_slurm(o, *it);
    else
      next = unknown_to_slurm(o, found.answered);
    if (next)
      changed.push_back(std::move(*next));
  }
  commit(changed);
}

} // namespace jobrunner
