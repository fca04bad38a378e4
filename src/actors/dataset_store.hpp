#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"
#include "core/sqlite.hpp"
#include "store/datasets.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <vector>

namespace jobrunner {

/// Owns datasets/, its staging folders and the rows of datasets. Its actor is detached: it renames,
/// syncs and commits. Bytes are received, hashed and extracted elsewhere, into the staging folders.
class dataset_store {
public:
  using discarder = std::function<void(const std::filesystem::path&)>;

  /// Cleans up what a crash left and publishes what is there. `discard` removes a staging folder,
  /// sooner or later; without one this does it itself.
  explicit dataset_store(const services& with, discarder discard = {});

  std::string begin(std::uint64_t bytes);
  dataset commit(const arrival&);
  void abort(const std::string& staging);
  dataset edit(const std::string& sha256, const dataset_edit&);
  dataset remove(const std::string& sha256);
  void checked(const dataset_check&);

  /// Writes down when datasets were used, and cleans up where a limit was lowered.
  void tick();

private:
  void sweep();
  void set_aside(const std::filesystem::path& folder);
  void move_in(const arrival&, const dataset& made);
  bool take_away(const dataset&);
  using snapshots = std::vector<std::shared_ptr<const dataset>>;
  snapshots removable_for(std::uint64_t bytes);
  void make_room(std::uint64_t bytes);
  void note_uses();

  const services& with_;
  discarder discard_;
  std::filesystem::path folder_, staging_, lists_;
  sqlite::database db_;
  store::datasets rows_;
  std::set<std::string> open_; // staging folders in use
  std::uint64_t total_ = 0;    // bytes of all datasets that are there
};

/// Spawn it detached. Make the store before: nobody may ask while it sweeps.
dataset_actor::behavior_type dataset_store_actor(dataset_actor::pointer self,
                                                 const std::shared_ptr<dataset_store>& store);

/// Spawn it detached: it copies.
adopter_actor::behavior_type dataset_adopter(adopter_actor::pointer self, const services& with,
                                             const dataset_actor& datasets);

/// Spawn it detached: it waits for children that remove.
cleaner_actor::behavior_type dataset_cleaner(cleaner_actor::pointer self, const services& with);

} // namespace jobrunner
