#pragma once

#include "actors/api.hpp"
#include "actors/look_pace.hpp"
#include "actors/services.hpp"
#include "slurm/log_watch.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <type_traits>

namespace jobrunner {

/// The clock: asks Slurm once a tick, whatever the number of jobs, and at once after a hint (the
/// completion log has grown, a job was submitted or cancelled); publishes how Slurm is and tells
/// the registry what it saw. It decides nothing. Now and then a tick asks for the nodes instead of
/// the jobs; both are asked for only in trouble, or when the nodes' turn is long over.
class slurm_poller {
public:
  slurm_poller(poller_actor::pointer self, const services& with, job_actor registry);
  slurm_poller(const slurm_poller&) = delete;
  slurm_poller& operator=(const slurm_poller&) = delete;
  ~slurm_poller();

  void tick(std::uint64_t set);
  void hint();
  const slurm::cluster& cluster(); // throws failure{unavailable}

private:
  using clock = std::chrono::steady_clock;
  void look();
  void ask(slurm_view&);
  void ask_queue(slurm_view&);
  void ask_cluster(slurm_view&, bool nodes, bool partitions);
  void tell(std::shared_ptr<const queue_look>);
  void recall(const std::vector<std::int64_t>& missing);
  void watch_log();
  void wait(look_pace::span);

  poller_actor::pointer self_;
  const services& with_;
  job_actor registry_;
  look_pace pace_;
  std::uint64_t set_ = 0; // the tick that counts
  clock::time_point due_{};
  int looks_since_turn_ = 0;
  bool nodes_turn_ = true; // otherwise the partitions'
  slurm::cluster cluster_; // as last asked for
  clock::time_point nodes_at_{};
  bool hinted_ = false;  // since the queue was asked for
  bool hurried_ = false; // the next look comes before its time
  bool moving_ = false;  // the last look showed a job between two states
  bool telling_ = false; // the registry has not answered to the last look yet
  bool again_ = false;   // and there was a newer one
  std::unique_ptr<slurm::log_watch> watch_;
  bool unwatched_said_ = false;
};

struct poller_state {
  poller_state() = default; // not an aggregate: CAF 0.17.6 would fill it from `self`
  std::unique_ptr<slurm_poller> it;
  static constexpr auto name = "slurm_poller";
};
static_assert(!std::is_aggregate_v<poller_state>);

/// Spawn it detached: a call to Slurm may take 15 s.
poller_actor::behavior_type slurm_poller_actor(poller_actor::stateful_pointer<poller_state> self,
                                               const services& with, const job_actor& registry);

} // namespace jobrunner
