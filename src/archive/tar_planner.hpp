// Plans of archives, for each request that reads one: of large folders, in only so much memory.
#pragma once

#include "archive/tar_plan.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

namespace jobrunner::archive {

/// What an archive may hold: its plan takes half a gigabyte.
constexpr walk_limits most_archived{2'000'000, 256U << 20U};

/// May be used by several threads, and must outlive its plans.
class tar_planner {
public:
  struct limits {
    walk_limits small = most_outputs; // anybody may have one of these
    walk_limits large = most_archived;
    int largest_at_once = 4; // what so many of them take is there for all that are not small
  };
  tar_planner() : tar_planner(limits{}) {}
  explicit tar_planner(limits how) : how_(how) {}

  /// Of the files below `folder`, with look_through's `skip`, which is the same whenever the folder
  /// is. While a large one is there, whoever asks for the same files gets the same plan: a download
  /// that is gone on with, or made in pieces side by side, needs no memory of its own. Throws
  /// failure: too_many (there is no memory for another one), unprocessable (it has more than any
  /// archive may have), and what look_through throws.
  std::shared_ptr<const tar_plan> plan(const std::filesystem::path& folder,
                                       const std::function<bool(std::string_view)>& skip = {});

private:
  class memory;
  struct large;
  using shared = std::shared_ptr<const tar_plan>;
  shared living(const std::filesystem::path& folder);
  shared only(const std::filesystem::path& folder, shared made);
  const limits how_;
  std::mutex guard_;
  std::uint64_t taken_ = 0; // bytes, by plans that are there or being made
  std::map<std::filesystem::path, std::weak_ptr<const tar_plan>> large_;
};

} // namespace jobrunner::archive
