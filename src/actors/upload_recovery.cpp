// What a restart finds of resumable uploads.
#include "actors/upload_store.hpp"
#include "core/error.hpp"
#include "core/log.hpp"

#include <unistd.h>

#include <filesystem>
#include <sys/stat.h>
#include <vector>

namespace jobrunner {

namespace fs = std::filesystem;

/// What was under way goes on: bytes behind the last offset that was promised are cut off, and what
/// was complete is made a dataset.
void upload_store::recover() {
  for (auto& u : rows_.all()) {
    if (!recover(u)) {
      log("uploads", "bytes_gone", {{"id", u.id}});
      rows_.remove(u.id);
      continue;
    }
    if (u.state == "processing")
      whole_.push_back(u.id);
    all_[u.id] = std::move(u);
  }
  std::vector<fs::path> stray;
  for (const auto& file : fs::directory_iterator{folder_})
    if (!all_.contains(file.path().filename().string()))
      stray.push_back(file.path());
  for (const auto& file : stray)
    unlink(file.c_str());
  finish_next();
}

/// Whether its bytes are there. Those of a complete one are left alone: its finisher may have
/// closed the file already, so that it could not be opened for writing.
bool upload_store::recover(upload& u) {
  const bool has_bytes = u.state == "receiving" || u.state == "complete" ||
                         (u.state == "processing" && u.parts.empty());
  if (!has_bytes)
    return true;
  const auto file = file_of(u.id);
  struct stat about {};
  if (stat(file.c_str(), &about) != 0 || static_cast<std::uint64_t>(about.st_size) < u.offset)
    return false;
  if (static_cast<std::uint64_t>(about.st_size) > u.offset &&
      truncate(file.c_str(), static_cast<off_t>(u.offset)) != 0)
    throw errno_failure("cut the upload " + u.id); // its bytes were promised: nothing is removed
  return true;
}

} // namespace jobrunner
