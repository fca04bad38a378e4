// Snapshots that actors publish and io threads read: a request for one costs no message.
// Each board has one writer, the actor named in its comment; all are thread-safe.
#pragma once

#include "core/types.hpp"
#include "slurm/client.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace jobrunner {

/// Jobs as they are now, written by job_registry: all that run or wait, and the last that ended.
/// Older ones are in the database alone.
class job_board {
public:
  void publish(const job&);
  void remove(std::int64_t id);                           // it is deleted
  std::shared_ptr<const job> find(std::int64_t id) const; // null: ask the registry

private:
  static constexpr std::size_t kept_final = 10000;
  mutable std::shared_mutex guard_;
  std::unordered_map<std::int64_t, std::shared_ptr<const job>> jobs_;
  std::deque<std::int64_t> final_; // in the order they ended
};

/// Where a list of datasets goes on: behind this one.
struct dataset_cursor {
  timestamp created_at{};
  std::string sha256;
};

/// All datasets, written by dataset_store.
class dataset_board {
public:
  void publish(const dataset&);
  void withdraw(std::string_view sha256);
  std::shared_ptr<const dataset> find(std::string_view sha256) const; // lower case; null: none

  /// The same for one that is about to be used: it is the last to be cleaned up. This any thread
  /// may call.
  std::shared_ptr<const dataset> use(std::string_view sha256) const;
  timestamp used_at(std::string_view sha256) const;

  /// At most `limit` of them, newest first, of those that have `tag` unless that is empty.
  std::vector<std::shared_ptr<const dataset>>
  list(std::string_view tag, const std::optional<dataset_cursor>& behind, std::size_t limit) const;
  std::vector<std::shared_ptr<const dataset>> all() const;

private:
  struct entry {
    std::shared_ptr<const dataset> now;
    mutable std::atomic<std::int64_t> used_ms = 0; // since the epoch
  };
  using key = std::pair<timestamp, std::string>; // created_at, sha256

  void forget(const dataset&);
  mutable std::shared_mutex guard_;
  std::unordered_map<std::string, entry> datasets_;
  std::set<key> by_age_;
  std::map<std::string, std::set<key>, std::less<>> by_tag_;
};

/// What the poller last saw of Slurm.
struct slurm_view {
  bool up = false;
  bool b2_mounted = false;
  std::string problem = "Slurm has not been asked yet"; // in words, when not up
  timestamp checked_at{};
  bool answers = false; // to the last look; up also needs a node
  timestamp answered_at{};
  std::chrono::steady_clock::time_point answered{}; // likewise, on a clock that does not jump
  slurm::capacity capacity;                         // zeros until Slurm answered for the first time
  std::string b2_problem{}; // why the bucket is not mounted, where that is known
};

/// Since when what is known of jobs is not known to hold any more; nothing while Slurm answers.
std::optional<timestamp> stale_since(const slurm_view&, std::chrono::steady_clock::time_point now);

/// Written by slurm_poller.
class slurm_board {
public:
  void publish(slurm_view);
  slurm_view view() const;

private:
  mutable std::mutex guard_;
  slurm_view view_;
};

struct boards {
  job_board jobs;
  dataset_board datasets;
  slurm_board slurm;
};

} // namespace jobrunner
