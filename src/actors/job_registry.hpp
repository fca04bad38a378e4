#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"
#include "actors/waiting_room.hpp"
#include "core/error.hpp"
#include "core/sqlite.hpp"
#include "store/datasets.hpp"
#include "store/deletions.hpp"
#include "store/events.hpp"
#include "store/jobs.hpp"
#include "store/webhooks.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

namespace jobrunner {

/// The truth of every job: its state, its sequence number, who waits for it, its row. It never
/// calls Slurm itself: workers submit and cancel, the poller looks.
class job_registry {
public:
  job_registry(job_actor::pointer self, const services& with, indexer_actor indexer,
               std::vector<slurm_actor> workers, remover_actor remover, webhook_actor webhooks);

  caf::result<job> submit(const job_request&);
  job get(std::int64_t id);
  caf::result<std::int64_t> wait(const event_wait&);
  caf::result<job_plan> plan(const job_request&);
  caf::result<std::vector<job>> submit_array(const job_request&);
  caf::result<std::vector<job>> retry(const std::string& array);
  caf::result<job> cancel(const cancel_order&);
  caf::result<std::int64_t> cancel_array(const std::string& array);
  void kill(std::int64_t id);
  caf::result<job> hold(std::int64_t id, bool on);
  bool remove(std::int64_t id);
  std::vector<std::int64_t> seen(const queue_look&);
  void recall(const recalled&);
  void index(std::int64_t id);
  void expire();
  void gone(const caf::actor_addr& asker) { waiting_.gone(asker); }
  std::size_t waiting() const noexcept { return waiting_.size(); }

private:
  using moment = std::chrono::steady_clock::time_point;
  struct open_job {
    job now;
    moment accepted{};       // looks that began earlier cannot show it
    moment missing{};        // since when the queue does not show it; the epoch: it does
    bool unsaved = false;    // the database is behind
    bool submitting = false; // once more
    moment recorded{};       // since when it runs for Slurm though its wrapper has recorded its end
    moment cancel_sent{};    // the last scancel
    std::int64_t elsewhere =
        0; // while it is missing: another Slurm id that the queue shows with its name
  };
  struct intent {
    job wanted;
    moment since{}; // the first look that did not show it
  };

  void recover();
  slurm_actor next_worker();
  std::optional<job> made_before(const job_request&);
  std::optional<job> shown_by_slurm(open_job&, const slurm::report&);
  bool waits_for_second_start(const job&) const;
  std::optional<job> unknown_to_slurm(open_job&, bool answered);
  std::optional<job> start_again(open_job&, const std::string& why);
  void submit_again(const job&, slurm::submission, const std::string& why);
  void submitted_again(const job&, std::int64_t slurm_id, const std::string& why);
  void not_submitted_again(const job&, const failure&);
  std::vector<std::int64_t> slurm_ids_of(const std::vector<std::int64_t>& after);
  std::int64_t known_slurm_id(const job&) const;
  const job* lane_before(const job&) const;
  slurm::submission submission(const job&);
  void complete_ending(job&, const std::vector<job>& with_it);
  struct array_order;
  caf::result<std::vector<job>> start_array(std::shared_ptr<array_order>);
  void feed(const std::shared_ptr<array_order>&);
  void send_task(const std::shared_ptr<array_order>&);
  void accept_array(array_order&);
  void withdraw_array(array_order&);
  void release_tasks();
  void arm_kill(const job&);
  std::int64_t free_id(std::int64_t slurm_id);
  job accept(job j, std::int64_t slurm_id);
  void drop_intent(const job&);
  void withdraw(const job&);
  void settle_intents(const queue_look&);
  bool settle_intent(intent&, const queue_look&);
  void cancel_withdrawn(const queue_look&);
  void cancel_again(open_job&, moment look);
  std::vector<job> ended_unseen(const std::vector<std::int64_t>& running, moment look);
  void end_ghosts(const std::vector<const slurm::report*>&, moment look);
  void commit(std::vector<job> changed);
  job_event event_of(const job&) const;
  void set_alarm();
  void tell(const job&, std::int64_t newest_event);
  void keep(const job&);
  void mark_indexed(std::int64_t id, const std::string& experiment);

  job_actor::pointer self_;
  const services& with_;
  indexer_actor indexer_;
  std::vector<slurm_actor> workers_;
  remover_actor remover_;
  webhook_actor webhooks_;
  std::size_t next_worker_ = 0, submitting_ = 0;
  bool releasing_ = false;
  sqlite::database db_;
  store::jobs rows_;
  store::events events_;
  store::datasets datasets_;
  store::deletions deletions_;
  store::webhooks webhook_rows_;
  std::map<std::int64_t, open_job> open_; // by API id
  std::map<std::string, intent> intents_; // by uuid: nobody knows yet whether Slurm has taken them
  std::set<std::string> unreleased_;      // tasks of whole arrays that Slurm may still hold
  std::set<std::string> withdrawn_;       // Slurm may still hold them; their start marker is taken
  std::map<std::string, moment> ghosts_;  // jobs that have ended, but not for Slurm: last scancel
  moment looked_{};                       // when the last look began
  moment records_read_{};                 // when those of jobs that run were last looked for
  std::int64_t record_read_ = 0;          // of this job last
  waiting_room waiting_;
  std::optional<waiting_room::moment> alarm_; // when the next expire comes
  std::int64_t newest_event_;                 // its n
};

/// Goes when the actor exits: promises of waiters would otherwise keep it alive (CAF 0.17.6).
struct job_registry_state {
  job_registry_state() = default; // not an aggregate: CAF would fill it from `self`
  std::unique_ptr<job_registry> it;
  static constexpr auto name = "job_registry";
};
static_assert(!std::is_aggregate_v<job_registry_state>);

/// Spawn it detached: it commits.
job_actor::behavior_type job_registry_actor(job_actor::stateful_pointer<job_registry_state> self,
                                            const services& with, const indexer_actor& indexer,
                                            const std::vector<slurm_actor>& workers,
                                            const remover_actor& remover,
                                            const webhook_actor& webhooks);

} // namespace jobrunner
