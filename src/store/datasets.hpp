// Rows of the table datasets.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <vector>

namespace jobrunner::store {

class datasets {
public:
  explicit datasets(sqlite::database& db);
  void put(const dataset&); // new, or in the place of one with the same sha256
  void remove(std::string_view sha256);
  std::vector<dataset> all();

private:
  sqlite::statement put_, remove_, all_;
};

} // namespace jobrunner::store
