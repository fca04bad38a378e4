// Plans of archives, one for each request that reads one: of large folders, only so many at once.
#pragma once

#include "archive/tar_plan.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

namespace jobrunner::archive {

/// What an archive may hold. A plan takes some 150 bytes a file and its path: half a gigabyte.
constexpr walk_limits most_archived{2'000'000, 256U << 20U};

/// May be used by several threads, and must outlive its plans.
class tar_planner {
public:
  struct limits {
    walk_limits small = most_outputs; // anybody may have one of these
    walk_limits large = most_archived;
    int large_at_once = 4;
  };
  tar_planner() : tar_planner(limits{}) {}
  explicit tar_planner(limits how) : how_(how) {}

  /// Of the files below `folder`, with look_through's `skip`. A large one keeps its place until its
  /// last owner lets it go. Throws failure: too_many (large ones), unprocessable (it has more than
  /// any archive may have), and what look_through throws.
  std::shared_ptr<const tar_plan> plan(const std::filesystem::path& folder,
                                       const std::function<bool(std::string_view)>& skip = {});

private:
  class place;
  const limits how_;
  std::atomic<int> large_ = 0; // of them are there, or being made
};

} // namespace jobrunner::archive
