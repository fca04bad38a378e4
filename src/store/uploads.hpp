// Rows of the table uploads.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <vector>

namespace jobrunner::store {

class uploads {
public:
  explicit uploads(sqlite::database& db);
  void put(const upload&); // new, or in the place of one with the same id
  void remove(std::string_view id);
  std::vector<upload> all();

private:
  sqlite::statement put_, remove_, all_;
};

} // namespace jobrunner::store
