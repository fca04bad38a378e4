#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"
#include "core/sqlite.hpp"
#include "store/datasets.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <filesystem>
#include <set>

namespace jobrunner {

/// Owns datasets/, its staging folders and the rows of datasets. Spawn it detached: it renames,
/// syncs and commits. Bytes are received, hashed and extracted elsewhere, into the staging folders.
class dataset_store {
public:
  /// Cleans up what a crash left and publishes what is there.
  explicit dataset_store(const services& with);

  std::string begin(std::uint64_t bytes);
  dataset commit(const arrival&);
  void abort(const std::string& staging);

private:
  void sweep();
  const services& with_;
  std::filesystem::path folder_, staging_;
  sqlite::database db_;
  store::datasets rows_;
  std::set<std::string> open_; // staging folders in use
};

dataset_actor::behavior_type dataset_store_actor(dataset_actor::pointer self, const services& with);

} // namespace jobrunner
