// The registry on a stage: the test plays Slurm, the poller and the indexer.
#pragma once

#include "actors/job_intake.hpp"
#include "actors/job_registry.hpp"
#include "slurm/job_dir.hpp"
#include "stage.hpp"
#include "store/events.hpp"
#include "store/jobs.hpp"
#include "world.hpp"

#include <algorithm>
#include <functional>

namespace jobrunner {

struct registry_stage : world, stage {
  using steady = std::chrono::steady_clock;

  // How the workers and the indexer answer; an empty function: not at all.
  std::function<std::int64_t(const slurm::submission&)> on_submit;
  std::function<void(std::int64_t id, const std::string& uuid)> on_cancel;
  std::function<void(const job&)> on_index;
  std::function<void(const std::vector<std::string>& uuids, bool on)> on_hold;
  std::function<slurm::forecast(const slurm::submission&)> on_plan;
  bool wrappers_start = true; // of jobs that end by themselves
  std::vector<slurm::submission> submitted;
  std::vector<std::string> cancelled; // uuids
  std::vector<std::pair<std::string, std::string>> signalled;
  std::vector<std::string> held, released;
  int cleanings = 0; // how often the remover was called
  std::vector<job> indexed;

  slurm_actor worker = sys.spawn([this](slurm_actor::pointer self) { return work(self); });
  indexer_actor indexer = sys.spawn([this](indexer_actor::pointer self) { return index(self); });
  remover_actor remover = sys.spawn([this](remover_actor::pointer) {
    return remover_actor::behavior_type{[this](atom::tick) { ++cleanings; }};
  });
  std::vector<std::int64_t> hinted; // jobs that the webhooks were told of
  webhook_actor webhooks = sys.spawn([this](webhook_actor::pointer) {
    return webhook_actor::behavior_type{
        [this](atom::hint, std::int64_t id) { hinted.push_back(id); },
        [](atom::get, std::int64_t) { return webhook_view{}; },
        [](atom::get) { return std::string{}; }, [](atom::tick) {}};
  });
  job_actor registry;

  registry_stage() {
    slurm_is_up();
    a_dataset_is_there();
    on_submit = [id = std::int64_t{100}](const slurm::submission&) mutable { return ++id; };
    on_cancel = [](std::int64_t, const std::string&) {};
    on_index = [](const job&) {};
    on_hold = [](const std::vector<std::string>&, bool) {};
    on_plan = [](const slurm::submission&) { return slurm::forecast{}; };
  }
  ~registry_stage() override {
    if (registry)
      stop(registry);
    stop(worker);
    stop(indexer);
    stop(remover);
    stop(webhooks);
  }

  /// Starts it, or another one after a crash of the first.
  void go() {
    if (registry)
      stop(registry);
    registry = sys.spawn(job_registry_actor, std::cref(with), indexer, std::vector{worker}, remover,
                         webhooks);
    settle();
  }
  job_registry& inside() {
    auto* actor = caf::actor_cast<caf::abstract_actor*>(registry);
    return *dynamic_cast<job_actor::stateful_pointer<job_registry_state>>(actor)->state.it;
  }

  job_request request() const {
    job_request r;
    r.dataset_sha = sha;
    r.command_key = "echo";
    return r;
  }
  auto submit() { return submit(request()); }
  std::shared_ptr<outcome<job>> submit(const job_request& r) {
    return start(ask(registry, std::chrono::seconds{60}, atom::submit_v, r));
  }
  auto get(std::int64_t id) {
    return start(ask(registry, std::chrono::seconds{60}, atom::get_v, id));
  }
  auto cancel(std::int64_t id, std::string signal = "", std::chrono::seconds grace = {}) {
    return start(ask(registry, std::chrono::seconds{60}, atom::cancel_v,
                     cancel_order{id, std::move(signal), grace}));
  }
  auto submit_array(const job_request& r) {
    return start(ask(registry, std::chrono::seconds{60}, atom::array_v, r));
  }
  auto retry(const std::string& array) {
    return start(ask(registry, std::chrono::seconds{60}, atom::retry_v, array));
  }
  auto cancel_array(const std::string& array) {
    return start(ask(registry, std::chrono::seconds{60}, atom::cancel_v, array));
  }
  auto hold(std::int64_t id, bool on) {
    return start(ask(registry, std::chrono::seconds{60}, atom::hold_v, id, on));
  }
  auto remove(std::int64_t id) {
    return start(ask(registry, std::chrono::seconds{60}, atom::remove_v, id));
  }
  auto plan(const job_request& r) {
    return start(ask(registry, std::chrono::seconds{60}, atom::plan_v, r));
  }
  auto wait(std::int64_t id, std::int64_t after,
            std::chrono::milliseconds patience = std::chrono::seconds{30}) {
    return start(ask(registry, in_its_time, atom::wait_v, event_wait{id, after, patience}));
  }

  /// One look at Slurm's queue; the answer is what the registry misses in it. It began `later`
  /// than now: two calls are as far apart as they say, without any waiting.
  std::vector<std::int64_t> look(std::vector<slurm::report> shown,
                                 std::chrono::seconds later = std::chrono::seconds{1}) {
    auto seen = std::make_shared<queue_look>();
    seen->began = steady::now() + later;
    seen->jobs = std::move(shown);
    leave_marks(seen->jobs);
    const auto missing = start(ask(registry, std::chrono::seconds{60}, atom::seen_v,
                                   std::shared_ptr<const queue_look>{std::move(seen)}));
    if (missing->error)
      throw *missing->error;
    return missing->value.value();
  }
  void recall(std::vector<std::int64_t> asked, bool answered, std::vector<slurm::report> jobs) {
    leave_marks(jobs);
    caf::anon_send(registry, atom::recall_v, recalled{std::move(asked), answered, std::move(jobs)});
    settle();
  }
  static slurm::report report(const job& j, const std::string& state) {
    slurm::report r;
    r.id = j.slurm_id;
    r.name = "jr-" + j.uuid;
    r.state = state;
    return r;
  }

  /// What the database holds, whatever the registry says.
  std::vector<job> rows() {
    auto db = store::open(root.path());
    store::jobs all{db};
    auto found = all.open();
    for (auto& j : all.newest(1000))
      found.push_back(std::move(j));
    return found;
  }
  std::vector<job_event> events_after(std::int64_t n) {
    auto db = store::open(root.path());
    return store::events{db}.after(n, 100);
  }
  void sql(const char* text) {
    auto db = store::open(root.path());
    db.run(text);
  }
  /// Until ok() the database takes nothing, as on a full disk.
  void database_fails() {
    sql("CREATE TRIGGER full BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'full'); END");
  }
  void database_works() { sql("DROP TRIGGER full"); }

private:
  /// As their wrappers do.
  void leave_marks(const std::vector<slurm::report>& jobs) {
    for (const auto& r : jobs) {
      const auto folder = root / ("jobs/" + r.name.substr(std::min<std::size_t>(3, r.name.size())));
      if (wrappers_start && (r.state == "COMPLETED" || r.state == "FAILED") &&
          std::filesystem::exists(folder / "run"))
        slurm::take_start(folder, r.id);
    }
  }
  slurm_actor::behavior_type work(slurm_actor::pointer self) {
    return {
        [this, self](atom::submit, const submit_order& order) -> caf::result<std::int64_t> {
          const auto& s = order.what;
          submitted.push_back(s);
          if (!on_submit)
            return self->make_response_promise<std::int64_t>();
          return answer([&] { return on_submit(s); });
        },
        [this](atom::cancel, std::int64_t id, const std::string& uuid) -> caf::result<bool> {
          cancelled.push_back(uuid);
          return answer([&] {
            on_cancel(id, uuid);
            return true;
          });
        },
        [this](atom::cancel, const std::vector<std::string>& uuids) -> caf::result<bool> {
          cancelled.insert(cancelled.end(), uuids.begin(), uuids.end());
          return answer([&] {
            on_cancel(0, "");
            return true;
          });
        },
        [this](atom::signal, const std::string& uuid,
               const std::string& name) -> caf::result<bool> {
          signalled.emplace_back(uuid, name);
          return true;
        },
        [this](atom::hold, const std::vector<std::string>& uuids, bool on) -> caf::result<bool> {
          return answer([&] {
            on_hold(uuids, on);
            auto& all = on ? held : released;
            all.insert(all.end(), uuids.begin(), uuids.end());
            return true;
          });
        },
        [this](atom::plan, const slurm::submission& s) -> caf::result<slurm::forecast> {
          return answer([&] { return on_plan(s); });
        }};
  }
  indexer_actor::behavior_type index(indexer_actor::pointer self) {
    return {[this, self](atom::index, const job& j) -> caf::result<index_result> {
      indexed.push_back(j);
      if (!on_index)
        return self->make_response_promise<index_result>();
      return answer([&] {
        on_index(j);
        return index_result{"e", 1};
      });
    }};
  }
};

} // namespace jobrunner
