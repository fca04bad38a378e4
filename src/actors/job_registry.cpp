#include "actors/job_registry.hpp"

#include "actors/errors.hpp"
#include "actors/job_intake.hpp"
#include "actors/job_progress.hpp"
#include "core/log.hpp"
#include "slurm/job_dir.hpp"
#include "slurm/state.hpp"
#include "store/schema.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <charconv>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::size_t most_submitting = 256; // beyond, a client is told to come again
constexpr std::size_t most_waiting = 100000;
constexpr std::int64_t published_at_start = 1000;
constexpr auto lost_after = 30s; // that neither queue, completion log nor exit record know a job
constexpr auto index_again_after = 30s;

failure unknown_job(std::int64_t id) {
  return {errc::not_found, "no job has the id " + std::to_string(id)};
}

} // namespace

job_registry::job_registry(job_actor::pointer self, const services& with, indexer_actor indexer,
                           std::vector<slurm_actor> workers)
    : self_(self),
      with_(with),
      indexer_(std::move(indexer)),
      workers_(std::move(workers)),
      db_(store::open(with.settings.root)),
      rows_(db_) {
  recover();
}

/// What was there before this process: open jobs are watched on, intents wait for the first look.
void job_registry::recover() {
  for (auto& old : rows_.newest(published_at_start))
    with_.published.jobs.publish(old);
  for (auto& j : rows_.open()) {
    if (j.id == 0) {
      intents_.emplace(j.uuid, std::move(j));
      continue;
    }
    with_.published.jobs.publish(j);
    open_[j.id].now = std::move(j);
  }
  for (const auto& j : rows_.unindexed())
    self_->send(self_, atom::index_v, j.id);
}

slurm_actor job_registry::next_worker() {
  return workers_[next_worker_++ % workers_.size()];
}

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
  self_->request(next_worker(), caf::infinite, atom::submit_v, submission_of(with_, j))
      .then(
          [this, j, promise](std::int64_t slurm_id) mutable {
            --submitting_;
            fulfil(promise, [&] { return accept(j, slurm_id); });
          },
          [this, j, promise](const caf::error& e) mutable {
            --submitting_;
            drop_intent(j);
            promise.deliver(e);
          });
  return promise;
}

job job_registry::accept(job j, std::int64_t slurm_id) {
  j.slurm_id = slurm_id;
  j.id = slurm_id;
  if (rows_.find(j.id)) {
    // slurmctld lost its newest state and counts again from an older number. Ours stays unique.
    j.id = rows_.largest_id() + 1;
    log("jobs", "slurm_id_given_twice",
        {{"slurm_id", std::to_string(slurm_id)}, {"job", std::to_string(j.id)}});
  }
  j.seq = 1;
  open_[j.id] = {j, steady::now(), {}};
  commit({j});
  log("jobs", "accepted",
      {{"job", std::to_string(j.id)}, {"command", j.command_key}, {"uuid", j.uuid}});
  return j;
}

/// For a job that nobody was promised. It holds no start marker, or "abandoned": it will not run.
void job_registry::drop_intent(const job& j) {
  try {
    withdrawn_.insert(j.uuid);
    rows_.remove(j.uuid);
    log("jobs", "withdrawn", {{"uuid", j.uuid}});
  } catch (const failure& f) {
    log("jobs", "intent_stays", {{"uuid", j.uuid}, {"why", f.what()}});
  }
}

job job_registry::get(std::int64_t id) {
  if (const auto it = open_.find(id); it != open_.end())
    return it->second.now;
  auto found = rows_.find(id);
  if (!found)
    throw unknown_job(id);
  return std::move(*found);
}

caf::result<job> job_registry::wait(const job_wait& what) {
  auto current = get(what.id);
  if (satisfied(what, current))
    return current;
  if (waiters_.size() >= most_waiting)
    throw failure(errc::too_many,
                  std::to_string(waiters_.size()) + " clients wait already; ask without wait");
  const auto asker = self_->current_sender();
  auto promise = self_->make_response_promise<job>();
  const auto key = waiters_.add(what, asker->address(), promise);
  self_->monitor(asker->get());
  self_->delayed_send(self_, what.patience, atom::expire_v, key);
  return promise;
}

void job_registry::expire(std::uint64_t key) {
  if (const auto id = waiters_.job_of(key))
    waiters_.expire(key, get(*id));
}

caf::result<job> job_registry::cancel(std::int64_t id) {
  auto current = get(id);
  if (current.done)
    return current;
  auto promise = self_->make_response_promise<job>();
  self_->request(next_worker(), caf::infinite, atom::cancel_v, current.slurm_id, current.uuid)
      .then(
          [this, id, promise](bool) mutable {
            fulfil(promise, [&] {
              auto j = get(id);
              if (j.done || j.cancel_requested)
                return j;
              j.cancel_requested = true;
              ++j.seq;
              commit({j});
              return j;
            });
          },
          [promise](const caf::error& e) mutable { promise.deliver(e); });
  return promise;
}

std::vector<std::int64_t> job_registry::seen(const queue_look& look) {
  adopt_or_drop_intents(look);
  std::map<std::string_view, const slurm::report*> by_name;
  for (const auto& r : look.jobs)
    by_name.emplace(r.name, &r);
  std::vector<job> changed;
  std::vector<std::int64_t> missing;
  for (auto& [id, o] : open_) {
    const auto it = by_name.find("jr-" + o.now.uuid);
    if (it != by_name.end() && it->second->id == o.now.slurm_id) {
      o.missing = {};
      if (auto next = progress(o.now, *it->second, job_dir(with_, o.now.uuid)))
        changed.push_back(std::move(*next));
    } else if (o.accepted < look.began) {
      if (o.missing == moment{})
        o.missing = look.began;
      missing.push_back(o.now.slurm_id);
    }
  }
  commit(changed);
  return missing;
}

void job_registry::recall(const recalled& found) {
  const std::set<std::int64_t> asked(found.asked.begin(), found.asked.end());
  std::vector<job> changed;
  for (auto& [id, o] : open_) {
    if (!asked.contains(o.now.slurm_id) || o.missing == moment{})
      continue;
    const auto folder = job_dir(with_, o.now.uuid);
    const auto it = std::ranges::find_if(found.jobs, [&](const slurm::report& r) {
      return r.id == o.now.slurm_id && r.name == "jr-" + o.now.uuid;
    });
    std::optional<job> next;
    if (it != found.jobs.end())
      next = progress(o.now, *it, folder);
    else if (const auto record = slurm::read_exit(folder))
      next = ended_by_record(o.now, *record);
    else if (found.answered && steady::now() - o.missing > lost_after)
      next = lost(o.now, folder);
    if (next)
      changed.push_back(std::move(*next));
  }
  commit(changed);
}

void job_registry::adopt_or_drop_intents(const queue_look& look) {
  for (const auto& [uuid, intent] : std::exchange(intents_, {})) {
    std::int64_t id = 0;
    for (const auto& r : look.jobs)
      if (r.name == "jr-" + uuid)
        id = r.id;
    const auto folder = job_dir(with_, uuid);
    if (id == 0 && !slurm::take_start(folder, "abandoned")) {
      const auto marker = slurm::started_by(folder).value_or("");
      std::from_chars(marker.data(), marker.data() + marker.size(), id);
    }
    if (id > 0)
      accept(intent, id);
    else
      drop_intent(intent);
  }
}

/// One transaction, then everybody may see it. Throws failure and changes nothing if it fails:
/// the next look finds the same differences again.
void job_registry::commit(const std::vector<job>& changed) {
  if (changed.empty())
    return;
  {
    sqlite::transaction t{db_};
    for (const auto& j : changed)
      rows_.update(j);
    t.commit();
  }
  for (const auto& j : changed) {
    with_.published.jobs.publish(j);
    waiters_.settle(j);
    if (!j.done) {
      open_[j.id].now = j;
    } else if (open_.erase(j.id) > 0) {
      log("jobs", "ended",
          {{"job", std::to_string(j.id)}, {"state", j.state}, {"reason", j.reason}});
      self_->send(self_, atom::index_v, j.id);
    }
  }
}

void job_registry::index(std::int64_t id) {
  const auto j = get(id);
  if (!j.done || j.indexed)
    return;
  const auto indexed = [this, id] {
    auto now = get(id);
    now.indexed = true;
    ++now.seq;
    commit({now});
  };
  self_->request(indexer_, caf::infinite, atom::index_v, j)
      .then(
          [indexed](const index_result&) {
            if (auto e = answer(indexed).err)
              log("jobs", "not_marked_indexed", {{"why", to_failure(e).what()}});
          },
          [this, id, indexed](const caf::error& e) {
            const auto why = to_failure(e);
            log("jobs", "not_indexed", {{"job", std::to_string(id)}, {"why", why.what()}});
            if (why.code() == errc::not_found) // there is no folder, and never will be
              answer(indexed);
            else
              self_->delayed_send(self_, index_again_after, atom::index_v, id);
          });
}

job_actor::behavior_type job_registry_actor(job_actor::stateful_pointer<job_registry_state> self,
                                            const services& with, const indexer_actor& indexer,
                                            const std::vector<slurm_actor>& workers) {
  self->state.it = std::make_unique<job_registry>(self, with, indexer, workers);
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
      [registry](atom::wait, const job_wait& what) -> caf::result<job> {
        return answered([&] { return registry->wait(what); });
      },
      [registry](atom::cancel, std::int64_t id) -> caf::result<job> {
        return answered([&] { return registry->cancel(id); });
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
      [registry, safely](atom::index, std::int64_t id) { safely([&] { registry->index(id); }); },
      [registry, safely](atom::expire, std::uint64_t key) {
        safely([&] { registry->expire(key); });
      },
  };
}

} // namespace jobrunner
