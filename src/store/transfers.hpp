// Rows of the table transfers: imports from buckets and exports to them.
#pragma once

#include "core/sqlite.hpp"
#include "core/transfer.hpp"

#include <vector>

namespace jobrunner::store {

/// A page of a list, newest first. `next` is the cursor of the next page, 0 at the end.
struct transfer_page {
  std::vector<transfer> items;
  std::int64_t next = 0;
};

class transfers {
public:
  explicit transfers(sqlite::database& db);

  void insert(const transfer&);
  void update(const transfer&); // everything that can change, by id
  std::optional<transfer> find(std::string_view id);
  std::vector<transfer> open(); // not done, oldest first
  transfer_page list(direction, std::int64_t cursor, std::int64_t limit);

private:
  sqlite::statement insert_, update_, find_, open_, list_;
};

} // namespace jobrunner::store
