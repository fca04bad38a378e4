// The truth of every import from a bucket and every export to one: its row, its place in the
// queue, who waits for it. It starts the tasks that do the work and hears of their progress; it
// never speaks to a bucket itself.
#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"
#include "actors/transfer_waiters.hpp"
#include "core/sqlite.hpp"
#include "store/transfers.hpp"

#include <caf/actor_addr.hpp>

#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

namespace jobrunner {

/// How a running task is told that it is over. A transfer that is only stopped goes on after the
/// next start.
struct transfer_orders {
  std::stop_source stop;
  std::atomic<bool> cancelled = false;
};

class transfer_desk {
public:
  /// Starts a task; its address tells of its end. Tests start none.
  using starter =
      std::function<caf::actor_addr(const transfer&, const std::shared_ptr<transfer_orders>&)>;

  /// What was open when the server ended goes on.
  transfer_desk(const services& with, starter start);
  transfer_desk(const transfer_desk&) = delete;
  transfer_desk& operator=(const transfer_desk&) = delete;
  ~transfer_desk(); // stops all tasks

  transfer submit(transfer wanted);
  transfer get(const std::string& id);
  transfer cancel(const std::string& id);
  transfer_list list(const transfer_query&);

  /// Progress and ends, from the tasks.
  void report(const transfer_report&);

  /// Whether a task of this desk's was that actor: then it has ended.
  bool ended(const caf::actor_addr& task);

  bool satisfied(const transfer_wait&); // answer with get() at once
  std::uint64_t park(const transfer_wait&, const caf::actor_addr& asker,
                     transfer_waiters::promise reply);
  void expire(std::uint64_t key);
  void gone(const caf::actor_addr& asker) { waiters_.gone(asker); }

private:
  struct running {
    std::shared_ptr<transfer_orders> orders;
    caf::actor_addr task;
  };
  void check(transfer& wanted) const;
  void start_next();
  void change(transfer& t);
  void finish(transfer& t, const std::string& state);
  void take_up();
  void sweep();

  const services& with_;
  starter start_;
  sqlite::database db_;
  store::transfers rows_;
  std::map<std::string, transfer> open_; // by id: queued or running
  std::deque<std::string> queue_;
  std::map<std::string, running> running_;
  transfer_waiters waiters_;
};

/// Where a transfer keeps what it has reached: below datasets/, so that its files need only a new
/// name, and closed to jobs.
std::filesystem::path transfer_folder(const config&, const std::string& id);

} // namespace jobrunner
