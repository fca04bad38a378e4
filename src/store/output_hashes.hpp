// The SHA-256 of outputs, as far as they are known.
#pragma once

#include "core/sqlite.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace jobrunner::store {

/// An output that is to be hashed.
struct unhashed {
  std::int64_t n = 0; // its row
  std::string result_dir, path, stamp;
};

struct hashed {
  unhashed of;        // as it was asked for
  std::string sha256; // empty: the file is not any more what was indexed
  std::string stamp;  // of the file that was hashed
};

class output_hashes {
public:
  explicit output_hashes(sqlite::database& db);

  /// At most `limit` of those that are to be hashed, after row `after`.
  std::vector<unhashed> next(std::int64_t after, std::int64_t limit);

  /// In one transaction. What has been indexed again meanwhile and changed stays to be hashed.
  void put(const std::vector<hashed>&);

private:
  sqlite::database& db_;
  sqlite::statement next_, put_;
};

} // namespace jobrunner::store
