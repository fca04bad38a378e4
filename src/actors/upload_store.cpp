#include "actors/upload_store.hpp"

#include "actors/errors.hpp"
#include "core/durable.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/uuid.hpp"
#include "store/schema.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_open = 1000; // that receive
constexpr std::size_t most_waiters = 10000;
constexpr auto longest_tick = 10s; // between two looks at the clock

failure no_such(const std::string& id) {
  return {errc::not_found, "no upload has the id " + shown(id) + "; POST /uploads makes one"};
}

} // namespace

upload_store::upload_store(upload_actor::pointer self, const services& with, dataset_actor datasets)
    : self_(self),
      with_(with),
      datasets_(std::move(datasets)),
      folder_(with.settings.root / "datasets/.uploads"),
      db_(store::open(with.settings.root)),
      rows_(db_) {
  if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST)
    throw errno_failure("make the folder " + folder_.string());
  recover();
}

upload& upload_store::find(const std::string& id) {
  const auto it = all_.find(id);
  if (it == all_.end())
    throw no_such(id);
  if (it->second.state == "expired")
    throw failure(errc::gone, "the upload " + id + " has expired; begin a new one");
  return it->second;
}

/// What open uploads have still to bring is taken for used.
void upload_store::check_room(std::uint64_t bytes) const {
  struct statvfs disk {};
  if (statvfs(folder_.c_str(), &disk) != 0)
    throw errno_failure("look at the disk");
  const auto free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  std::uint64_t promised = with_.settings.min_free_bytes;
  for (const auto& [id, u] : all_)
    if (u.state == "receiving")
      promised += u.length - u.offset;
  if (free < promised || free - promised < bytes)
    throw failure(errc::disk_full, "the disk has " + std::to_string(free) +
                                       " bytes free, of which " + std::to_string(promised) +
                                       " are kept free or promised to other uploads; " +
                                       std::to_string(bytes) + " more do not fit");
}

void upload_store::take_parts(upload& u) {
  for (const auto& id : u.parts) {
    const auto& part = find(id);
    if (!part.partial)
      throw failure(errc::invalid, "the upload " + id +
                                       " is no part of another: it was made "
                                       "without Upload-Concat: partial");
    if (part.state != "complete" || leased_.contains(id))
      throw failure(errc::conflict, "the part " + id + " has " + std::to_string(part.offset) +
                                        " of its " + std::to_string(part.length) + " bytes");
    u.length += part.length;
  }
  u.offset = u.length;
}

upload upload_store::begin(upload u) {
  const auto open = std::ranges::count_if(
      all_, [](const auto& pair) { return pair.second.state == "receiving"; });
  if (static_cast<std::size_t>(open) >= most_open)
    throw failure(errc::too_many, std::to_string(open) + " uploads are open, which is the limit");
  u.id = make_uuid();
  u.created_at = now();
  if (!u.parts.empty())
    take_parts(u);
  check_room(u.length);
  if (u.parts.empty()) {
    const unique_fd file{
        ::open(file_of(u.id).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file)
      throw errno_failure("make the upload's file");
    sync_folder(folder_);
    JR_FAILPOINT("upload_file_made");
  }
  try {
    keep(u);
  } catch (...) {
    unlink(file_of(u.id).c_str());
    throw;
  }
  log("uploads", "begun", {{"id", u.id}, {"bytes", std::to_string(u.length)}});
  return get(u.id);
}

/// The row, durable; then all that follows from it.
void upload_store::keep(upload& u) {
  if (u.state == "receiving" && u.offset == u.length)
    u.state = u.partial ? "complete" : "processing";
  u.expires_at = now() + with_.settings.upload_expires;
  rows_.put(u);
  JR_FAILPOINT("upload_row_written");
  const bool whole =
      u.state == "processing" && (!all_.contains(u.id) || all_[u.id].state != "processing");
  all_[u.id] = u;
  if (whole) {
    whole_.push_back(u.id);
    finish_next();
  }
  settle(u);
}

upload upload_store::get(const std::string& id) {
  return find(id);
}

caf::result<upload> upload_store::wait(const std::string& id, std::chrono::milliseconds patience) {
  const auto& u = find(id);
  if (u.state != "processing" && u.state != "receiving")
    return u;
  if (waiters_.size() >= most_waiters)
    throw failure(errc::too_many,
                  std::to_string(waiters_.size()) + " clients wait already; ask without wait");
  auto promise = self_->make_response_promise<upload>();
  self_->delayed_send(self_, patience, atom::expire_v, next_waiter_);
  waiters_[next_waiter_++] = {id, promise};
  return promise;
}

void upload_store::expire(std::uint64_t key) {
  const auto it = waiters_.find(key);
  if (it == waiters_.end())
    return;
  const auto id = it->second.id;
  auto promise = std::move(it->second.promise);
  waiters_.erase(it);
  fulfil(promise, [&] { return get(id); });
}

void upload_store::settle(const upload& u) {
  if (u.state == "receiving" || u.state == "processing")
    return;
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    if (it->second.id != u.id) {
      ++it;
      continue;
    }
    it->second.promise.deliver(u);
    it = waiters_.erase(it);
  }
}

upload_lease upload_store::lock(const std::string& id, std::uint64_t offset) {
  const auto& u = find(id);
  if (!u.parts.empty())
    throw failure(errc::forbidden, "the upload " + id + " is made of others; it takes no bytes");
  if (leased_.contains(id))
    throw failure(errc::locked, "another request is appending to the upload " + id);
  if (offset != u.offset)
    throw failure(errc::conflict, "Upload-Offset is " + std::to_string(offset) +
                                      ", but the upload has " + std::to_string(u.offset) +
                                      " bytes");
  if (u.state != "receiving")
    throw failure(errc::conflict, "the upload " + id + " has all its bytes");
  if (leased_.size() >= with_.settings.max_uploads)
    throw failure(errc::unavailable, std::to_string(leased_.size()) +
                                         " uploads are being received, which is the limit; try "
                                         "again when one is over");
  leased_.insert(id);
  auto& hash = hashes_[id];
  if (!hash)
    hash = std::make_shared<running_hash>();
  return {u, file_of(id), hash};
}

void upload_store::advance(const std::string& id, std::uint64_t offset) {
  auto u = find(id);
  u.offset = offset;
  keep(u);
}

upload upload_store::commit(const std::string& id, std::uint64_t offset) {
  leased_.erase(id);
  advance(id, offset);
  return get(id);
}

upload upload_store::remove(const std::string& id) {
  auto u = find(id);
  if (leased_.contains(id))
    throw failure(errc::locked, "a request is appending to the upload " + id);
  if (u.state == "processing" || parts_at_work().contains(id))
    throw failure(errc::conflict, "the upload " + id + " is being made a dataset");
  rows_.remove(id);
  drop_bytes(u);
  all_.erase(id);
  return u;
}

void upload_store::drop_bytes(const upload& u) {
  unlink(file_of(u.id).c_str());
  hashes_.erase(u.id);
}

/// Those of final uploads that are being made a dataset.
std::set<std::string> upload_store::parts_at_work() const {
  std::set<std::string> parts;
  for (const auto& [id, u] : all_)
    if (u.state == "processing")
      parts.insert(u.parts.begin(), u.parts.end());
  return parts;
}

upload_actor::behavior_type
upload_store_actor(upload_actor::stateful_pointer<upload_store_state> self, const services& with,
                   const dataset_actor& datasets) {
  self->state.it = std::make_unique<upload_store>(self, with, datasets);
  auto* store = self->state.it.get();
  const auto pause =
      std::min<std::chrono::milliseconds>(longest_tick, with.settings.upload_expires / 4 + 100ms);
  self->delayed_send(self, pause, atom::tick_v);
  const auto safely = [](auto what) {
    try {
      what();
    } catch (const std::exception& e) {
      log("uploads", "failed", {{"why", e.what()}});
    }
  };
  self->set_down_handler([=](const caf::down_msg&) { safely([&] { store->task_over(); }); });
  return {
      [=](atom::begin, const upload& u) -> caf::result<upload> {
        return answer([&] { return store->begin(u); });
      },
      [=](atom::get, const std::string& id) -> caf::result<upload> {
        return answer([&] { return store->get(id); });
      },
      [=](atom::wait, const std::string& id, std::chrono::milliseconds patience)
          -> caf::result<upload> { return answered([&] { return store->wait(id, patience); }); },
      [=](atom::lock, const std::string& id, std::uint64_t offset) -> caf::result<upload_lease> {
        return answer([&] { return store->lock(id, offset); });
      },
      [=](atom::advance, const std::string& id, std::uint64_t offset) {
        safely([&] { store->advance(id, offset); });
      },
      [=](atom::commit, const std::string& id, std::uint64_t offset) -> caf::result<upload> {
        return answer([&] { return store->commit(id, offset); });
      },
      [=](atom::remove, const std::string& id) -> caf::result<upload> {
        return answer([&] { return store->remove(id); });
      },
      [=](atom::tick) {
        self->delayed_send(self, pause, atom::tick_v);
        safely([&] { store->tick(); });
      },
      [=](atom::expire, std::uint64_t waiter) { safely([&] { store->expire(waiter); }); },
  };
}

} // namespace jobrunner
