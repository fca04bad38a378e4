// How dataset_store keeps below a limit of the disk: the least recently used go first, never one
// that is pinned or that a job needs.
#include "actors/dataset_store.hpp"
#include "core/error.hpp"
#include "core/log.hpp"

#include <map>

namespace jobrunner {

namespace {
using namespace std::chrono_literals;
constexpr auto worth_writing = 10min; // how much older a row may say that a dataset was used
} // namespace

/// What may go for `bytes` more, least recently used first. Throws failure{disk_full} if that is
/// not enough. An upload is refused so before its body, and the others go when it has arrived: it
/// may fail, or be of what is there already.
dataset_store::snapshots dataset_store::removable_for(std::uint64_t bytes) {
  const auto limit = with_.settings.max_dataset_bytes;
  if (limit == 0 || total_ + bytes <= limit)
    return {};
  const auto needed = rows_.needed();
  auto all = with_.published.datasets.all();
  std::erase_if(all, [&](const auto& d) { return d->pinned || needed.contains(d->sha256); });
  std::uint64_t removable = 0;
  for (const auto& d : all)
    removable += static_cast<std::uint64_t>(d->bytes);
  if (total_ - removable + bytes > limit)
    throw failure(errc::disk_full, "JR_MAX_DATASET_BYTES allows " + std::to_string(limit) +
                                       " bytes, of which " + std::to_string(total_ - removable) +
                                       " are of datasets that are pinned or needed by jobs; " +
                                       std::to_string(bytes) + " more do not fit");
  std::multimap<timestamp, std::shared_ptr<const dataset>> by_use; // which goes on meanwhile
  for (const auto& d : all)
    by_use.emplace(with_.published.datasets.used_at(d->sha256), d);
  all.clear();
  for (const auto& [used, d] : by_use)
    all.push_back(d);
  return all;
}

void dataset_store::make_room(std::uint64_t bytes) {
  for (const auto& d : removable_for(bytes)) {
    if (total_ + bytes <= with_.settings.max_dataset_bytes)
      return;
    take_away(*d);
  }
}

void dataset_store::note_uses() {
  const auto needed = rows_.needed();
  std::vector<dataset> later;
  for (const auto& d : with_.published.datasets.all()) {
    if (needed.contains(d->sha256)) // a job at work is a use that goes on
      with_.published.datasets.use(d->sha256);
    const auto used = with_.published.datasets.used_at(d->sha256);
    if (used - d->used_at > worth_writing) {
      later.push_back(*d);
      later.back().used_at = used;
    }
  }
  if (later.empty())
    return;
  sqlite::transaction t{db_};
  for (const auto& d : later)
    rows_.used(d.sha256, d.used_at);
  t.commit();
  for (const auto& d : later)
    with_.published.datasets.publish(d);
}

void dataset_store::tick() {
  note_uses();
  try {
    make_room(0);
  } catch (const failure& f) { // more is pinned than may be there
    log("datasets", "over_limit", {{"why", f.what()}});
  }
}

} // namespace jobrunner
