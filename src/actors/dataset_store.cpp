#include "actors/dataset_store.hpp"

#include "actors/errors.hpp"
#include "archive/ingest.hpp"
#include "core/hex.hpp"
#include "core/log.hpp"
#include "core/uuid.hpp"
#include "store/schema.hpp"

#include <fcntl.h>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <vector>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

void sync_folder(const fs::path& path) {
  const unique_fd fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd || fsync(fd.get()) != 0)
    throw errno_failure("sync the folder " + path.string());
}

bool is_there(const fs::path& path) {
  struct stat about {};
  return lstat(path.c_str(), &about) == 0;
}

archive::extraction extraction_of(const services& with) {
  return {with.extractors, with.settings.programs_dir / "jobrunner-extract"};
}

} // namespace

dataset_store::dataset_store(const services& with)
    : with_(with),
      folder_(with.settings.root / "datasets"),
      staging_(folder_ / ".staging"),
      db_(store::open(with.settings.root)),
      rows_(db_) {
  sweep();
}

/// After a crash: uploads that never ended, and folders that never got their row. A row whose files
/// are gone stays, though nobody sees it: a disk may only not be mounted.
void dataset_store::sweep() {
  for (const auto& left : fs::directory_iterator{staging_})
    archive::discard(extraction_of(with_), left.path());
  std::set<std::string> named;
  for (const auto& d : rows_.all()) {
    named.insert(d.sha256);
    if (is_there(with_.settings.root / d.rel_path))
      with_.published.datasets.publish(d);
    else
      log("datasets", "files_gone", {{"sha256", d.sha256}, {"path", d.rel_path}});
  }
  std::vector<fs::path> half_made;
  for (const auto& there : fs::directory_iterator{folder_})
    if (const auto name = there.path().filename().string();
        is_sha256(name) && !named.contains(name))
      half_made.push_back(there.path());
  for (const auto& folder : half_made)
    set_aside(folder);
}

/// Removes a folder in the way of a dataset that nobody was promised, or whose files were gone.
void dataset_store::set_aside(const fs::path& folder) {
  log("datasets", "removed_half_made", {{"folder", folder.string()}});
  const auto corpse = staging_ / make_uuid();
  chmod(folder.c_str(), 0770); // a folder that moves must be writable
  fs::rename(folder, corpse);
  archive::discard(extraction_of(with_), corpse);
}

std::string dataset_store::begin(std::uint64_t bytes) {
  if (open_.size() >= with_.settings.max_uploads)
    throw failure(errc::too_many,
                  std::to_string(open_.size()) +
                      " uploads are under way, which is the limit; try again when one is over");
  struct statvfs disk {};
  if (statvfs(staging_.c_str(), &disk) != 0)
    throw errno_failure("look at the disk");
  const auto free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto floor = with_.settings.min_free_bytes;
  if (free < floor || free - floor < bytes)
    throw failure(errc::disk_full, "the disk has " + std::to_string(free) +
                                       " bytes free, of which " + std::to_string(floor) +
                                       " stay so; " + std::to_string(bytes) + " more do not fit");
  const auto path = (staging_ / make_uuid()).string();
  if (mkdir(path.c_str(), 0770) != 0 || chmod(path.c_str(), 0770) != 0)
    throw errno_failure("make a staging folder");
  open_.insert(path);
  return path;
}

dataset dataset_store::commit(const arrival& a) {
  if (const auto known = with_.published.datasets.find(a.sha256))
    return *known;
  dataset made{a.sha256, "datasets/" + a.sha256 + "/", a.bytes, now()};
  if (!a.extracted)
    made.rel_path += a.filename;
  const auto home = folder_ / a.sha256, arrived = fs::path{a.staging} / "data";
  if (is_there(home))
    set_aside(home);
  if (rename(arrived.c_str(), home.c_str()) != 0)
    throw errno_failure("name the dataset");
  try {
    if (chmod(home.c_str(), 0555) != 0)
      throw errno_failure("close the dataset's folder");
    sync_folder(folder_);
    rows_.put(made);
  } catch (...) { // back, so that it goes with its staging folder
    chmod(home.c_str(), 0770);
    rename(home.c_str(), arrived.c_str());
    throw;
  }
  with_.published.datasets.publish(made);
  log("datasets", "added",
      {{"sha256", made.sha256}, {"bytes", std::to_string(made.bytes)}, {"path", made.rel_path}});
  return made;
}

void dataset_store::abort(const std::string& staging) {
  open_.erase(staging);
}

dataset_actor::behavior_type dataset_store_actor(dataset_actor::pointer,
                                                 const std::shared_ptr<dataset_store>& store) {
  return {
      [store](atom::begin, std::uint64_t bytes) -> caf::result<std::string> {
        return answer([&] { return store->begin(bytes); });
      },
      [store](atom::commit, const arrival& a) -> caf::result<dataset> {
        return answer([&] { return store->commit(a); });
      },
      [store](atom::abort, const std::string& staging) { store->abort(staging); },
  };
}

} // namespace jobrunner
