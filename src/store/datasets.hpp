// Rows of the table datasets.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <vector>

namespace jobrunner::store {

class datasets {
public:
  explicit datasets(sqlite::database& db);
  void insert(const dataset&); // throws failure{conflict} if the sha256 is there
  void remove(std::string_view sha256);
  std::vector<dataset> all();

private:
  sqlite::statement insert_, remove_, all_;
};

} // namespace jobrunner::store
