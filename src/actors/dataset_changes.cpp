// What becomes of a dataset once it is there: described by people, looked at again, removed.
#include "actors/dataset_store.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

#include <unistd.h>

namespace jobrunner {

namespace {

failure unknown(const std::string& sha256) {
  return {errc::not_found, "no dataset has the sha256 " + shown(sha256)};
}

} // namespace

dataset dataset_store::edit(const std::string& sha256, const dataset_edit& e) {
  const auto known = with_.published.datasets.find(sha256);
  if (!known)
    throw unknown(sha256);
  auto changed = *known;
  changed.tags = e.tags.value_or(known->tags);
  changed.note = e.note.value_or(known->note);
  changed.pinned = e.pinned.value_or(known->pinned);
  rows_.put(changed);
  with_.published.datasets.publish(changed);
  return changed;
}

dataset dataset_store::remove(const std::string& sha256) {
  const auto known = with_.published.datasets.find(sha256);
  if (!known)
    throw unknown(sha256);
  if (!take_away(*known))
    throw failure(errc::conflict, "the dataset " + sha256 +
                                      " is needed by a job that is not done: cancel that first, or "
                                      "wait for it");
  return *known;
}

/// Unless it is about files that another upload has replaced meanwhile.
void dataset_store::checked(const dataset_check& c) {
  const auto known = with_.published.datasets.find(c.sha256);
  if (!known || known->created_at != c.created_at || known->checked_at > c.began)
    return;
  auto looked_at = *known;
  looked_at.checked_at = now();
  looked_at.damage = c.damage;
  rows_.put(looked_at);
  with_.published.datasets.publish(looked_at);
  if (!c.damage.empty())
    log("datasets", "damaged", {{"sha256", c.sha256}, {"what", c.damage}});
}

/// False if a job that is not done needs it. A submit looks for the row in the transaction that
/// makes the job, so that one of the two sees the other.
bool dataset_store::take_away(const dataset& d) {
  {
    sqlite::transaction t{db_};
    if (rows_.needed_by(d.sha256))
      return false;
    rows_.remove(d.sha256);
    t.commit();
  }
  JR_FAILPOINT("dataset_row_removed");
  with_.published.datasets.withdraw(d.sha256);
  total_ -= static_cast<std::uint64_t>(d.bytes);
  log("datasets", "removed", {{"sha256", d.sha256}, {"bytes", std::to_string(d.bytes)}});
  try {
    set_aside(folder_ / d.sha256);
    JR_FAILPOINT("dataset_moved_away");
    unlink((lists_ / d.sha256).c_str());
  } catch (const std::exception& e) { // the next start does it
    log("datasets", "files_stay", {{"sha256", d.sha256}, {"why", e.what()}});
  }
  return true;
}

} // namespace jobrunner
