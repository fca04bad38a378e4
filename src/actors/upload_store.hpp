#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"
#include "core/sqlite.hpp"
#include "store/uploads.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <atomic>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <type_traits>

namespace jobrunner {

/// Owns datasets/.uploads/ and the rows of resumable uploads: who may append, how much is on the
/// disk, when they expire. Bytes are received elsewhere; what is complete is handed to a finisher.
class upload_store {
public:
  upload_store(upload_actor::pointer self, const services& with, dataset_actor datasets);
  ~upload_store() { stopping_->store(true); }

  upload begin(upload u);
  upload get(const std::string& id);
  caf::result<upload> wait(const std::string& id, std::chrono::milliseconds patience);
  upload_lease lock(const std::string& id, std::uint64_t offset);
  void advance(const std::string& id, std::uint64_t offset);
  upload commit(const std::string& id, std::uint64_t offset);
  upload remove(const std::string& id);
  void expire(std::uint64_t waiter);
  void tick();
  void task_over();

private:
  struct waiter {
    std::string id;
    caf::typed_response_promise<upload> promise;
  };

  void recover();
  bool recover(upload& u);
  upload& find(const std::string& id);
  std::filesystem::path file_of(const std::string& id) const { return folder_ / id; }
  void check_room(std::uint64_t bytes) const;
  void take_parts(upload& u);
  void keep(upload& u);
  void drop_bytes(const upload& u);
  std::set<std::string> parts_at_work() const;
  void finish_next();
  void finished(const std::string& id, const dataset& made);
  void failed(const std::string& id, const failure& why);
  void sooner_or_later(const std::string& id, const std::function<void()>& what);
  void settle(const upload& u);

  upload_actor::pointer self_;
  const services& with_;
  dataset_actor datasets_;
  std::filesystem::path folder_;
  sqlite::database db_;
  store::uploads rows_;
  std::map<std::string, upload> all_;
  std::map<std::string, std::shared_ptr<running_hash>> hashes_;
  std::set<std::string> leased_;
  std::deque<std::string> whole_; // waiting for a finisher
  std::set<std::string> again_;   // whole, and to be tried again at a later tick
  std::size_t finishing_ = 0;
  std::map<std::uint64_t, waiter> waiters_;
  std::uint64_t next_waiter_ = 1;
  std::shared_ptr<std::atomic<bool>> stopping_ = std::make_shared<std::atomic<bool>>(false);
};

/// Goes when the actor exits: promises of waiters would otherwise keep it alive (CAF 0.17.6).
struct upload_store_state {
  upload_store_state() = default; // not an aggregate: CAF would fill it from `self`
  std::unique_ptr<upload_store> it;
  static constexpr auto name = "upload_store";
};
static_assert(!std::is_aggregate_v<upload_store_state>);

/// Spawn it detached: it commits.
upload_actor::behavior_type upload_store_actor(upload_actor::stateful_pointer<upload_store_state>,
                                               const services& with, const dataset_actor& datasets);

/// Spawn it detached: it hashes, copies and extracts. Gives up once `stopping`.
finisher_actor::behavior_type upload_finisher(finisher_actor::pointer self, const services& with,
                                              const dataset_actor& datasets,
                                              const std::shared_ptr<std::atomic<bool>>& stopping);

} // namespace jobrunner
