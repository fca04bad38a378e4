#include "actors/dataset_store.hpp"

#include "actors/errors.hpp"
#include "actors/extraction.hpp"
#include "archive/ingest.hpp"
#include "core/durable.hpp"
#include "core/failpoint.hpp"
#include "core/hex.hpp"
#include "core/log.hpp"
#include "core/uuid.hpp"
#include "store/schema.hpp"

#include <fcntl.h>

#include <algorithm>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <vector>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto tick_pause = 60s;

bool is_there(const fs::path& path) {
  struct stat about {};
  return lstat(path.c_str(), &about) == 0;
}

} // namespace

dataset_store::dataset_store(const services& with, discarder discard)
    : with_(with),
      discard_(std::move(discard)),
      folder_(with.settings.root / "datasets"),
      staging_(folder_ / ".staging"),
      lists_(folder_ / ".files"),
      db_(store::open(with.settings.root)),
      rows_(db_) {
  if (!discard_)
    discard_ = [this](const fs::path& left) { archive::discard(extraction_of(with_), left); };
  if (mkdir(lists_.c_str(), 0700) != 0 && errno != EEXIST)
    throw errno_failure("make the folder " + lists_.string());
  sweep();
}

/// After a crash: uploads that never ended, and folders that never got their row. A row whose files
/// are gone stays, though nobody sees it: a disk may only not be mounted.
void dataset_store::sweep() {
  for (const auto& left : fs::directory_iterator{staging_})
    discard_(left.path());
  std::set<std::string> named;
  for (const auto& d : rows_.all()) {
    named.insert(d.sha256);
    if (is_there(with_.settings.root / d.rel_path)) {
      with_.published.datasets.publish(d);
      total_ += static_cast<std::uint64_t>(d.bytes);
    } else {
      log("datasets", "files_gone", {{"sha256", d.sha256}, {"path", d.rel_path}});
    }
  }
  std::vector<fs::path> half_made;
  for (const auto& there : fs::directory_iterator{folder_})
    if (const auto name = there.path().filename().string();
        is_sha256(name) && !named.contains(name))
      half_made.push_back(there.path());
  for (const auto& folder : half_made)
    set_aside(folder);
  for (const auto& list : fs::directory_iterator{lists_})
    if (!named.contains(list.path().filename().string()))
      unlink(list.path().c_str());
}

/// Removes a folder in the way of a dataset that nobody was promised, or whose files were gone.
void dataset_store::set_aside(const fs::path& folder) {
  log("datasets", "set_aside", {{"folder", folder.string()}});
  const auto corpse = staging_ / make_uuid();
  chmod(folder.c_str(), 0770); // a folder that moves must be writable
  fs::rename(folder, corpse);
  discard_(corpse);
}

std::string dataset_store::begin(std::uint64_t bytes) {
  if (open_.size() >= with_.settings.max_uploads)
    throw failure(errc::too_many,
                  std::to_string(open_.size()) +
                      " uploads are under way, which is the limit; try again when one is over");
  removable_for(bytes);
  struct statvfs disk {};
  if (statvfs(staging_.c_str(), &disk) != 0)
    throw errno_failure("look at the disk");
  const auto free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto floor = with_.settings.min_free_bytes;
  if (free < floor || free - floor < bytes)
    throw failure(errc::disk_full, "the disk has " + std::to_string(free) +
                                       " bytes free, of which " + std::to_string(floor) +
                                       " stay so; " + std::to_string(bytes) + " more do not fit");
  auto path = (staging_ / make_uuid()).string();
  if (mkdir(path.c_str(), 0770) != 0 || chmod(path.c_str(), 0770) != 0)
    throw errno_failure("make a staging folder");
  JR_FAILPOINT("staging_made");
  open_.insert(path);
  return path;
}

dataset dataset_store::commit(const arrival& a) {
  auto& published = with_.published.datasets;
  dataset made{a.sha256, "datasets/" + a.sha256 + "/", a.bytes, now()};
  if (!a.extracted)
    made.rel_path += a.filename;
  made.used_at = made.created_at;
  if (const auto known = published.use(a.sha256)) {
    if (known->damage.empty())
      return *known;
    if (rows_.needed_by(a.sha256)) // its folder is the one it runs in
      throw failure(errc::conflict, "the dataset " + a.sha256 +
                                        " is damaged, and a job that runs needs it: upload it "
                                        "again when that has ended");
    made.created_at = known->created_at;
    made.checked_at = made.used_at; // what is known of the old files does not count
    made.tags = known->tags;
    made.note = known->note;
    made.pinned = known->pinned;
    total_ -= static_cast<std::uint64_t>(known->bytes);
    published.withdraw(a.sha256);
  }
  make_room(static_cast<std::uint64_t>(a.bytes));
  move_in(a, made);
  total_ += static_cast<std::uint64_t>(made.bytes);
  published.publish(made);
  log("datasets", "added",
      {{"sha256", made.sha256}, {"bytes", std::to_string(made.bytes)}, {"path", made.rel_path}});
  return made;
}

/// The list first: a folder without a row goes at the next start, and its list with it.
void dataset_store::move_in(const arrival& a, const dataset& made) {
  const auto home = folder_ / a.sha256, arrived = fs::path{a.staging} / "data";
  const auto list = lists_ / a.sha256, listed = fs::path{a.staging} / "files";
  if (is_there(home))
    set_aside(home);
  unlink(list.c_str());
  if (a.extracted && is_there(listed) && rename(listed.c_str(), list.c_str()) != 0)
    throw errno_failure("name the list of files");
  JR_FAILPOINT("dataset_list_named");
  if (rename(arrived.c_str(), home.c_str()) != 0)
    throw errno_failure("name the dataset");
  JR_FAILPOINT("dataset_named");
  try {
    if (chmod(home.c_str(), 0555) != 0)
      throw errno_failure("close the dataset's folder");
    sync_folder(home);
    sync_folder(lists_);
    sync_folder(folder_);
    JR_FAILPOINT("dataset_synced");
    rows_.put(made);
    JR_FAILPOINT("dataset_row_written");
  } catch (...) { // back, so that it goes with its staging folder
    chmod(home.c_str(), 0770);
    rename(home.c_str(), arrived.c_str());
    rename(list.c_str(), listed.c_str());
    throw;
  }
}

void dataset_store::abort(const std::string& staging) {
  open_.erase(staging);
}

dataset_actor::behavior_type dataset_store_actor(dataset_actor::pointer self,
                                                 const std::shared_ptr<dataset_store>& store) {
  self->delayed_send(self, tick_pause, atom::tick_v);
  return {
      [store](atom::begin, std::uint64_t bytes) -> caf::result<std::string> {
        return answer([&] { return store->begin(bytes); });
      },
      [store](atom::commit, const arrival& a) -> caf::result<dataset> {
        return answer([&] { return store->commit(a); });
      },
      [store](atom::abort, const std::string& staging) { store->abort(staging); },
      [store](atom::edit, const std::string& sha256, const dataset_edit& e)
          -> caf::result<dataset> { return answer([&] { return store->edit(sha256, e); }); },
      [store](atom::remove, const std::string& sha256) -> caf::result<dataset> {
        return answer([&] { return store->remove(sha256); });
      },
      [store](atom::check, const dataset_check& c) {
        try {
          store->checked(c);
        } catch (const std::exception& e) { // the next scrub finds the same
          log("datasets", "check_not_kept", {{"sha256", c.sha256}, {"why", e.what()}});
        }
      },
      [self, store](atom::tick) {
        self->delayed_send(self, tick_pause, atom::tick_v);
        try {
          store->tick();
        } catch (const std::exception& e) { // the next one tries again
          log("datasets", "tick_failed", {{"why", e.what()}});
        }
      },
  };
}

cleaner_actor::behavior_type dataset_cleaner(cleaner_actor::pointer, const services& with) {
  return {[&with](atom::discard, const std::string& folder) {
    archive::discard(extraction_of(with), folder);
  }};
}

} // namespace jobrunner
