// Rows of the table datasets.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace jobrunner::store {

class datasets {
public:
  explicit datasets(sqlite::database& db);
  void put(const dataset&); // new, or in the place of one with the same sha256
  void remove(std::string_view sha256);
  void used(std::string_view sha256, timestamp at);
  std::vector<dataset> all();

  /// The uuid of a job that is not done and needs it.
  std::optional<std::string> needed_by(std::string_view sha256);
  std::set<std::string> needed(); // by jobs that are not done

  /// Inside the transaction that makes a job of it, so that it is not removed meanwhile.
  /// Throws failure: not_found, conflict (damaged).
  void require_usable(std::string_view sha256);

private:
  sqlite::statement put_, remove_, used_, all_, needed_by_, needed_, damage_;
};

} // namespace jobrunner::store
