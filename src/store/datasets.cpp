#include "store/datasets.hpp"

#include "core/error.hpp"
#include "store/times.hpp"

#include <algorithm>

namespace jobrunner::store {

namespace {

// Tags have no commas.
std::string joined(const std::vector<std::string>& tags) {
  std::string text;
  for (const auto& tag : tags)
    text += (text.empty() ? "" : ",") + tag;
  return text;
}

std::vector<std::string> tags_of(std::string_view text) {
  std::vector<std::string> tags;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    tags.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return tags;
}

} // namespace

datasets::datasets(sqlite::database& db)
    : put_(db, "INSERT OR REPLACE INTO datasets(sha256, rel_path, bytes, created_at, tags, note, "
               "pinned, used_at, checked_at, damage) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      remove_(db, "DELETE FROM datasets WHERE sha256 = ?"),
      used_(db, "UPDATE datasets SET used_at = ? WHERE sha256 = ?"),
      all_(db, "SELECT sha256, rel_path, bytes, created_at, tags, note, pinned, used_at, "
               "checked_at, damage FROM datasets"),
      needed_by_(db, "SELECT uuid FROM jobs WHERE dataset_sha = ? AND done = 0 LIMIT 1"),
      needed_(db, "SELECT DISTINCT dataset_sha FROM jobs WHERE done = 0"),
      damage_(db, "SELECT damage FROM datasets WHERE sha256 = ?") {}

void datasets::put(const dataset& d) {
  put_(d.sha256, d.rel_path, d.bytes, milliseconds(d.created_at), joined(d.tags), d.note,
       std::int64_t{d.pinned}, milliseconds(d.used_at), milliseconds(d.checked_at), d.damage);
}

void datasets::remove(std::string_view sha256) {
  remove_(sha256);
}

void datasets::used(std::string_view sha256, timestamp at) {
  used_(milliseconds(at), sha256);
}

std::vector<dataset> datasets::all() {
  std::vector<dataset> found;
  for (auto r : all_()) {
    dataset d{r.text(0), r.text(1), r.integer(2), moment(r.integer(3))};
    d.tags = tags_of(r.text(4));
    d.note = r.text(5);
    d.pinned = r.integer(6) != 0;
    d.used_at = std::max(d.created_at, moment(r.integer(7)));
    if (!r.null(8))
      d.checked_at = moment(r.integer(8));
    d.damage = r.text(9);
    found.push_back(std::move(d));
  }
  return found;
}

std::optional<std::string> datasets::needed_by(std::string_view sha256) {
  auto rows = needed_by_(sha256);
  const auto row = rows.first();
  return row ? std::optional{row->text(0)} : std::nullopt;
}

std::set<std::string> datasets::needed() {
  std::set<std::string> all;
  for (auto r : needed_())
    all.insert(r.text(0));
  return all;
}

void datasets::require_usable(std::string_view sha256) {
  auto rows = damage_(sha256);
  const auto row = rows.first();
  const std::string name{sha256};
  if (!row)
    throw failure(errc::not_found, "no dataset has the dataset_sha " + name + " any more");
  if (!row->text(0).empty())
    throw failure(errc::conflict,
                  "the dataset " + name + " is damaged (" + row->text(0) + "): upload it again");
}

} // namespace jobrunner::store
