// The database of the FastAPI program of this name, which had tables without a version.
#pragma once

#include "core/sqlite.hpp"

#include <filesystem>

namespace jobrunner::store {

/// Whether `db`, which has no version, holds tables of that program.
bool is_seed(sqlite::database& db);

/// Keeps the database as it was, as jr_slurm.db.seed beside it; not again if that is there.
/// Throws failure.
void keep_seed(sqlite::database& db, const std::filesystem::path& root);

/// Puts its tables out of the way of ours. In the transaction that makes ours.
void rename_seed(sqlite::database& db);

/// Copies its rows into our tables and drops its own. In the same transaction. Results are looked
/// for below `root` first, which may have been moved.
void take_over_seed(sqlite::database& db, const std::filesystem::path& root);

} // namespace jobrunner::store
