// How times lie in the tables: milliseconds since the epoch, UTC; NULL where there is none. For
// this folder alone.
#pragma once

#include "core/sqlite.hpp"
#include "core/types.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace jobrunner::store {

inline std::int64_t milliseconds(timestamp t) {
  return t.time_since_epoch().count();
}

inline std::optional<std::int64_t> milliseconds(const std::optional<timestamp>& t) {
  return t ? std::optional{milliseconds(*t)} : std::nullopt;
}

inline timestamp moment(std::int64_t ms) {
  return timestamp{std::chrono::milliseconds{ms}};
}

inline std::optional<timestamp> moment(const sqlite::row& r, int column) {
  return r.null(column) ? std::nullopt : std::optional{moment(r.integer(column))};
}

} // namespace jobrunner::store
