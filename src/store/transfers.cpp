#include "store/transfers.hpp"

#include "store/times.hpp"

#include <limits>

namespace jobrunner::store {

namespace {

#define TRANSFER_COLUMNS                                                                           \
  "n, id, way, bucket, endpoint, key, prefix, sha256, filename, extract, job_id, state, done, "    \
  "seq, bytes_done, files_done, bytes_total, files_total, dataset_sha, error_code, error, "        \
  "created_at, started_at, ended_at"

std::optional<std::int64_t> integer(const sqlite::row& r, int column) {
  return r.null(column) ? std::nullopt : std::optional{r.integer(column)};
}

transfer read_transfer(const sqlite::row& r) {
  transfer t;
  t.id = r.text(1);
  t.way = r.integer(2) == 0 ? direction::import : direction::out;
  t.bucket = r.text(3);
  t.endpoint = r.text(4);
  t.key = r.text(5);
  t.prefix = r.text(6);
  t.sha256 = r.text(7);
  t.filename = r.text(8);
  t.extract = r.integer(9) != 0;
  t.job_id = r.integer(10);
  t.state = r.text(11);
  t.done = r.integer(12) != 0;
  t.seq = r.integer(13);
  t.bytes_done = r.integer(14);
  t.files_done = r.integer(15);
  t.bytes_total = integer(r, 16);
  t.files_total = integer(r, 17);
  t.dataset_sha = r.text(18);
  t.error_code = r.text(19);
  t.error = r.text(20);
  t.created_at = moment(r.integer(21));
  t.started_at = moment(r, 22);
  t.ended_at = moment(r, 23);
  return t;
}

std::int64_t number(direction way) {
  return way == direction::import ? 0 : 1;
}

} // namespace

transfers::transfers(sqlite::database& db)
    : insert_(db, "INSERT INTO transfers(id, way, bucket, endpoint, key, prefix, sha256, filename, "
                  "extract, job_id, state, done, seq, bytes_done, files_done, dataset_sha, "
                  "error_code, error, created_at) "
                  "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,0,0,?,'','',?)"),
      update_(db, "UPDATE transfers SET state=?, done=?, seq=?, bytes_done=?, files_done=?, "
                  "bytes_total=?, files_total=?, dataset_sha=?, error_code=?, error=?, "
                  "started_at=?, ended_at=? WHERE id=?"),
      find_(db, "SELECT " TRANSFER_COLUMNS " FROM transfers WHERE id=?"),
      open_(db, "SELECT " TRANSFER_COLUMNS " FROM transfers WHERE done=0 ORDER BY n"),
      list_(db, "SELECT " TRANSFER_COLUMNS
                " FROM transfers WHERE way=? AND n<? ORDER BY n DESC LIMIT ?") {}

void transfers::insert(const transfer& t) {
  insert_(t.id, number(t.way), t.bucket, t.endpoint, t.key, t.prefix, t.sha256, t.filename,
          std::int64_t{t.extract}, t.job_id, t.state, std::int64_t{t.done}, t.seq, t.dataset_sha,
          std::int64_t{t.created_at.time_since_epoch().count()});
}

void transfers::update(const transfer& t) {
  update_(t.state, std::int64_t{t.done}, t.seq, t.bytes_done, t.files_done, t.bytes_total,
          t.files_total, t.dataset_sha, t.error_code, t.error, milliseconds(t.started_at),
          milliseconds(t.ended_at), t.id);
}

std::optional<transfer> transfers::find(std::string_view id) {
  auto rows = find_(id);
  const auto row = rows.first();
  return row ? std::optional{read_transfer(*row)} : std::nullopt;
}

std::vector<transfer> transfers::open() {
  std::vector<transfer> found;
  for (auto r : open_())
    found.push_back(read_transfer(r));
  return found;
}

transfer_page transfers::list(direction way, std::int64_t cursor, std::int64_t limit) {
  const auto before = cursor > 0 ? cursor : std::numeric_limits<std::int64_t>::max();
  transfer_page page;
  std::int64_t last = 0;
  for (auto r : list_(number(way), before, limit + 1)) { // one more tells of a next page
    if (static_cast<std::int64_t>(page.items.size()) == limit) {
      page.next = last;
      break;
    }
    last = r.integer(0);
    page.items.push_back(read_transfer(r));
  }
  return page;
}

} // namespace jobrunner::store
