#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"
#include "core/sqlite.hpp"
#include "store/datasets.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <filesystem>
#include <memory>
#include <set>

namespace jobrunner {

/// Owns datasets/, its staging folders and the rows of datasets. Its actor is detached: it renames,
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
  void set_aside(const std::filesystem::path& folder);
  const services& with_;
  std::filesystem::path folder_, staging_;
  sqlite::database db_;
  store::datasets rows_;
  std::set<std::string> open_; // staging folders in use
};

/// Spawn it detached. Make the store before: nobody may ask while it sweeps.
dataset_actor::behavior_type dataset_store_actor(dataset_actor::pointer self,
                                                 const std::shared_ptr<dataset_store>& store);

} // namespace jobrunner
