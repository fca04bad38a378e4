#include "actors/job_registry.hpp"

#include "actors/errors.hpp"
#include "core/log.hpp"
#include "store/schema.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t published_at_start = 1000;
constexpr auto index_again_after = 30s;

failure unknown_job(std::int64_t id) {
  return {errc::not_found, "no job has the id " + std::to_string(id)};
}

} // namespace

job_registry::job_registry(job_actor::pointer self, const services& with, indexer_actor indexer,
                           std::vector<slurm_actor> workers, remover_actor remover,
                           webhook_actor webhooks)
    : self_(self),
      with_(with),
      indexer_(std::move(indexer)),
      workers_(std::move(workers)),
      remover_(std::move(remover)),
      webhooks_(std::move(webhooks)),
      db_(store::open(with.settings.root)),
      rows_(db_),
      events_(db_),
      datasets_(db_),
      deletions_(db_),
      webhook_rows_(db_),
      waiting_([self](const caf::actor_addr& asker) { self->demonitor(asker); }),
      newest_event_(events_.largest()) {
  recover();
}

/// What was there before this process: open jobs are watched on, intents wait for the first look.
void job_registry::recover() {
  const auto newest = rows_.newest(published_at_start);
  std::for_each(newest.rbegin(), newest.rend(),
                [this](const job& old) { with_.published.jobs.publish(old); });
  for (const auto& j : rows_.open()) {
    if (j.id == 0) {
      intents_[j.uuid].wanted = j;
      continue;
    }
    with_.published.jobs.publish(j);
    open_[j.id].now = j;
    arm_kill(j);
    if (!j.array_uuid.empty() && !j.held && !j.started_at) // the crash may have come before it
      unreleased_.insert(j.uuid);
  }
  for (const auto& j : rows_.unindexed())
    self_->send(self_, atom::index_v, j.id);
}

job job_registry::get(std::int64_t id) {
  if (const auto it = open_.find(id); it != open_.end())
    return it->second.now;
  auto found = rows_.find(id);
  if (!found && deletions_.contains(id))
    throw failure(errc::not_found, "job " + std::to_string(id) + " is deleted");
  if (!found)
    throw unknown_job(id);
  return std::move(*found);
}

slurm_actor job_registry::next_worker() {
  return workers_[next_worker_++ % workers_.size()];
}

/// One transaction, then everybody may see it. Throws failure and changes nothing if it fails:
/// the next look finds the same differences again.
void job_registry::commit(std::vector<job> changed) {
  if (changed.empty())
    return;
  for (auto& j : changed)
    if (j.done && open_.contains(j.id))
      complete_ending(j, changed);
  std::vector<std::int64_t> events; // their n
  {
    sqlite::transaction t{db_};
    for (const auto& j : changed) {
      rows_.update(j);
      auto event = event_of(j);
      events_.insert(event);
      events.push_back(event.n);
      if (!j.extras.webhook_url.empty())
        webhook_rows_.note(j.id, event.at);
    }
    t.commit();
  }
  auto event = events.begin();
  for (const auto& j : changed) {
    with_.published.jobs.publish(j);
    tell(j, *event++);
    if (!j.extras.webhook_url.empty())
      self_->send(webhooks_, atom::hint_v, j.id);
    if (!j.done) {
      open_[j.id].now = j;
      open_[j.id].unsaved = false;
    } else if (open_.erase(j.id) > 0) {
      log("jobs", "ended",
          {{"job", std::to_string(j.id)}, {"state", j.state}, {"reason", j.reason}});
      self_->send(self_, atom::index_v, j.id);
    }
  }
}

/// What is new in a job whose change is about to be committed.
job_event job_registry::event_of(const job& j) const {
  const auto was = with_.published.jobs.find(j.id);
  const auto open = open_.find(j.id);
  const bool behind = open != open_.end() && open->second.unsaved; // published all the same
  const bool moved = !was || behind || was->state != j.state || was->done != j.done;
  const bool indexed = was && j.indexed && !was->indexed;
  return {0,       j.id,   j.seq,    moved ? "state" : indexed ? "indexed" : "change",
          j.state, j.done, j.reason, now()};
}

/// For what has happened and cannot be taken back: everybody may see it now, and where the
/// database cannot take it (a full disk) the next look writes it.
void job_registry::keep(const job& j) {
  try {
    commit({j});
  } catch (const failure& f) {
    log("jobs", "not_saved_yet", {{"job", std::to_string(j.id)}, {"why", f.what()}});
    open_[j.id].now = j;
    open_[j.id].unsaved = true;
    with_.published.jobs.publish(j);
    tell(j, 0);
  }
}

void job_registry::index(std::int64_t id) {
  const auto j = get(id);
  if (!j.done || j.indexed)
    return;
  self_->request(indexer_, caf::infinite, atom::index_v, j)
      .then([this, id](const index_result& r) { mark_indexed(id, r.experiment_id); },
            [this, id](const caf::error& e) {
              const auto why = to_failure(e);
              log("jobs", "not_indexed", {{"job", std::to_string(id)}, {"why", why.what()}});
              if (why.code() == errc::not_found) // there is no folder, and never will be
                mark_indexed(id, "");
              else
                self_->delayed_send(self_, index_again_after, atom::index_v, id);
            });
}

void job_registry::mark_indexed(std::int64_t id, const std::string& experiment) {
  try {
    auto now = get(id);
    now.indexed = true;
    if (!experiment.empty())
      now.experiment = experiment;
    ++now.seq;
    commit({now});
  } catch (const failure& f) {
    log("jobs", "not_marked_indexed", {{"job", std::to_string(id)}, {"why", f.what()}});
    self_->delayed_send(self_, index_again_after, atom::index_v, id);
  }
}

job_actor::behavior_type job_registry_actor(job_actor::stateful_pointer<job_registry_state> self,
                                            const services& with, const indexer_actor& indexer,
                                            const std::vector<slurm_actor>& workers,
                                            const remover_actor& remover,
                                            const webhook_actor& webhooks) {
  self->state.it = std::make_unique<job_registry>(self, with, indexer, workers, remover, webhooks);
  auto* registry = self->state.it.get();
  // Who asks for a wait is monitored; it exits when its HTTP client hangs up.
  self->set_down_handler([registry](const caf::down_msg& down) { registry->gone(down.source); });
  const auto safely = [](auto what) {
    try {
      what();
    } catch (const std::exception& e) {
      log("jobs", "failed", {{"why", e.what()}});
    }
  };
  return {
      [registry](atom::submit, const job_request& r) -> caf::result<job> {
        return answered([&] { return registry->submit(r); });
      },
      [registry](atom::get, std::int64_t id) -> caf::result<job> {
        return answer([&] { return registry->get(id); });
      },
      [registry](atom::wait, const event_wait& what) -> caf::result<std::int64_t> {
        return answered([&] { return registry->wait(what); });
      },
      [registry](atom::array, const job_request& r) -> caf::result<std::vector<job>> {
        return answered([&] { return registry->submit_array(r); });
      },
      [registry](atom::retry, const std::string& array) -> caf::result<std::vector<job>> {
        return answered([&] { return registry->retry(array); });
      },
      [registry](atom::plan, const job_request& r) -> caf::result<job_plan> {
        return answered([&] { return registry->plan(r); });
      },
      [registry](atom::cancel, const cancel_order& order) -> caf::result<job> {
        return answered([&] { return registry->cancel(order); });
      },
      [registry](atom::cancel, const std::string& array) -> caf::result<std::int64_t> {
        return answered([&] { return registry->cancel_array(array); });
      },
      [registry](atom::hold, std::int64_t id, bool on) -> caf::result<job> {
        return answered([&] { return registry->hold(id, on); });
      },
      [registry](atom::remove, std::int64_t id) -> caf::result<bool> {
        return answer([&] { return registry->remove(id); });
      },
      [registry](atom::seen, const std::shared_ptr<const queue_look>& look)
          -> caf::result<std::vector<std::int64_t>> {
        auto missing = answer([&] { return registry->seen(*look); });
        if (missing.err)
          log("jobs", "look_not_kept", {{"why", to_failure(missing.err).what()}});
        return missing;
      },
      [registry, safely](atom::recall, const recalled& found) {
        safely([&] { registry->recall(found); });
      },
      [registry, safely](atom::kill, std::int64_t id) { safely([&] { registry->kill(id); }); },
      [registry, safely](atom::index, std::int64_t id) { safely([&] { registry->index(id); }); },
      [registry, safely](atom::expire) { safely([&] { registry->expire(); }); },
  };
}

} // namespace jobrunner
