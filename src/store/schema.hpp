// The tables of jr_slurm.db and the way from older ones.
#pragma once

#include "core/sqlite.hpp"

#include <filesystem>

namespace jobrunner::store {

/// Brings `root`/jr_slurm.db to the newest schema, in one transaction. A database of the FastAPI
/// program of this name (see seed.hpp) keeps its rows, and a copy of it as it was stays beside it
/// as jr_slurm.db.seed. Throws failure that says what is wrong and changes nothing:
/// a damaged file, one that is no database, a newer version than this program's.
void migrate(const std::filesystem::path& root);

/// A connection to the migrated database. One owner each.
sqlite::database open(const std::filesystem::path& root);

} // namespace jobrunner::store
