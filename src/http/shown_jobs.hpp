// The text of answers about jobs, kept while a job stays as it is: those who poll, and the many who
// wait for the same change, are answered with one rendering.
#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <unordered_map>

namespace jobrunner::http {

/// Thread-safe.
class shown_jobs {
public:
  /// What `render` makes of `j`, or made of the very same snapshot before.
  std::string text_of(const std::shared_ptr<const job>& j,
                      const std::function<std::string(const job&)>& render);

private:
  static constexpr std::size_t most = 4096; // of a few KiB each
  struct entry {
    std::shared_ptr<const job> of; // while it is held, no other snapshot has its address
    std::string text;
  };
  std::shared_mutex guard_;
  std::unordered_map<std::int64_t, entry> kept_;
};

} // namespace jobrunner::http
