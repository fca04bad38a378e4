// Snapshots that actors publish and io threads read: a request for one costs no message.
// Each board has one writer, the actor named in its comment; all are thread-safe.
#pragma once

#include "core/types.hpp"
#include "slurm/client.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace jobrunner {

/// Jobs as they are now, written by job_registry: all that run or wait, and the last that ended.
/// Older ones are in the database alone.
class job_board {
public:
  void publish(const job&);
  std::shared_ptr<const job> find(std::int64_t id) const; // null: ask the registry

private:
  static constexpr std::size_t kept_final = 10000;
  mutable std::shared_mutex guard_;
  std::unordered_map<std::int64_t, std::shared_ptr<const job>> jobs_;
  std::deque<std::int64_t> final_; // in the order they ended
};

/// All datasets, written by dataset_store.
class dataset_board {
public:
  void publish(const dataset&);
  std::shared_ptr<const dataset> find(std::string_view sha256) const; // lower case; null: none

private:
  mutable std::shared_mutex guard_;
  std::unordered_map<std::string, std::shared_ptr<const dataset>> datasets_;
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
