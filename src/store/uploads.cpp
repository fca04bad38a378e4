#include "store/uploads.hpp"

#include "store/times.hpp"

#include <algorithm>

namespace jobrunner::store {

namespace {

std::string concat(const upload& u) {
  std::string text = u.partial ? "partial" : "";
  for (const auto& part : u.parts)
    text += (text.empty() ? "" : " ") + part;
  return text;
}

void set_concat(upload& u, std::string_view text) {
  u.partial = text == "partial";
  while (!u.partial && !text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    u.parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

upload read_upload(const sqlite::row& r) {
  upload u;
  u.id = r.text(0);
  u.length = static_cast<std::uint64_t>(r.integer(1));
  u.offset = static_cast<std::uint64_t>(r.integer(2));
  u.metadata = r.text(3);
  u.filename = r.text(4);
  u.extract = r.integer(5) != 0;
  u.sha256 = r.text(6);
  set_concat(u, r.text(7));
  u.state = r.text(8);
  u.dataset_sha = r.text(9);
  u.problem = r.text(10);
  u.created_at = moment(r.integer(11));
  u.expires_at = moment(r.integer(12));
  return u;
}

} // namespace

uploads::uploads(sqlite::database& db)
    : put_(db, "INSERT OR REPLACE INTO uploads(id, length, offset, metadata, filename, extract, "
               "sha256, concat, state, dataset_sha, problem, created_at, expires_at) "
               "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      remove_(db, "DELETE FROM uploads WHERE id = ?"),
      all_(db, "SELECT id, length, offset, metadata, filename, extract, sha256, concat, state, "
               "dataset_sha, problem, created_at, expires_at FROM uploads") {}

void uploads::put(const upload& u) {
  put_(u.id, static_cast<std::int64_t>(u.length), static_cast<std::int64_t>(u.offset), u.metadata,
       u.filename, std::int64_t{u.extract}, u.sha256, concat(u), u.state, u.dataset_sha, u.problem,
       milliseconds(u.created_at), milliseconds(u.expires_at));
}

void uploads::remove(std::string_view id) {
  remove_(id);
}

std::vector<upload> uploads::all() {
  std::vector<upload> found;
  for (auto r : all_())
    found.push_back(read_upload(r));
  return found;
}

} // namespace jobrunner::store
