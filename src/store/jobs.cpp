#include "store/jobs.hpp"

#include <algorithm>
#include <charconv>

namespace jobrunner::store {

namespace {

#define COLUMNS                                                                                    \
  "uuid, job_id, slurm_id, dataset_sha, command_key, params_json, result_dir, log_path, gpus, "    \
  "cpus, mem_mb, time_limit_s, state, done, indexed, cancel_requested, seq, exit_code, "           \
  "exit_signal, reason, node, created_at, started_at, ended_at, name, experiment_id, "             \
  "labels_json, env_json, signal, after_ids, webhook_url, array_uuid, array_index, attempt, held"

std::optional<std::int64_t> milliseconds(const std::optional<timestamp>& t) {
  return t ? std::optional<std::int64_t>{t->time_since_epoch().count()} : std::nullopt;
}

timestamp moment(std::int64_t ms) {
  return timestamp{std::chrono::milliseconds{ms}};
}

std::optional<timestamp> moment(const sqlite::row& r, int column) {
  return r.null(column) ? std::nullopt : std::optional{moment(r.integer(column))};
}

std::optional<int> small(const sqlite::row& r, int column) {
  return r.null(column) ? std::nullopt : std::optional{static_cast<int>(r.integer(column))};
}

std::optional<std::int64_t> large(const std::optional<int>& n) {
  return n ? std::optional<std::int64_t>{*n} : std::nullopt;
}

std::optional<std::int64_t> known(std::int64_t id) {
  return id > 0 ? std::optional{id} : std::nullopt;
}

std::string joined(const std::vector<std::int64_t>& ids) {
  std::string text;
  for (const auto id : ids)
    text += (text.empty() ? "" : ",") + std::to_string(id);
  return text;
}

std::vector<std::int64_t> split(std::string_view text) {
  std::vector<std::int64_t> ids;
  while (!text.empty()) {
    std::from_chars(text.data(), text.data() + text.size(), ids.emplace_back());
    text.remove_prefix(
        std::min(text.size(), text.find(',') == text.npos ? text.npos : text.find(',') + 1));
  }
  return ids;
}

job_extras read_extras(const sqlite::row& r, int first) {
  return {r.text(first),     r.text(first + 1),        r.text(first + 2), r.text(first + 3),
          r.text(first + 4), split(r.text(first + 5)), r.text(first + 6)};
}

job read_job(const sqlite::row& r) {
  job j;
  j.uuid = r.text(0);
  j.id = r.integer(1);
  j.slurm_id = r.integer(2);
  j.dataset_sha = r.text(3);
  j.command_key = r.text(4);
  j.params_json = r.text(5);
  j.result_dir = r.text(6);
  j.log_path = r.text(7);
  j.wanted = {r.integer(8), r.integer(9), r.integer(10), r.integer(11)};
  j.state = r.text(12);
  j.done = r.integer(13) != 0;
  j.indexed = r.integer(14) != 0;
  j.cancel_requested = r.integer(15) != 0;
  j.seq = r.integer(16);
  j.exit_code = small(r, 17);
  j.exit_signal = small(r, 18);
  j.reason = r.text(19);
  j.node = r.text(20);
  j.created_at = moment(r.integer(21));
  j.started_at = moment(r, 22);
  j.ended_at = moment(r, 23);
  j.extras = read_extras(r, 24);
  j.array_uuid = r.text(31);
  j.array_index = r.integer(32);
  j.attempt = r.integer(33);
  j.held = r.integer(34) != 0;
  return j;
}

} // namespace

jobs::jobs(sqlite::database& db)
    : insert_(
          db,
          "INSERT INTO jobs(uuid, dataset_sha, command_key, params_json, result_dir, log_path, "
          "gpus, cpus, mem_mb, time_limit_s, state, done, indexed, cancel_requested, seq, "
          "reason, node, created_at, name, experiment_id, labels_json, env_json, signal, "
          "after_ids, webhook_url, array_uuid, array_index, held, idempotency_key, fingerprint) "
          "VALUES(?,?,?,?,?,?,?,?,?,?,?,0,0,0,?,'','',?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      update_(db, "UPDATE jobs SET job_id=?, slurm_id=?, state=?, done=?, indexed=?, "
                  "cancel_requested=?, seq=?, exit_code=?, exit_signal=?, reason=?, node=?, "
                  "started_at=?, ended_at=?, result_dir=?, attempt=?, held=? WHERE uuid=?"),
      remove_(db, "DELETE FROM jobs WHERE uuid=?"),
      find_(db, "SELECT " COLUMNS " FROM jobs WHERE job_id=?"),
      find_key_(db, "SELECT " COLUMNS ", fingerprint FROM jobs WHERE idempotency_key=?"),
      largest_(db, "SELECT max(job_id) FROM jobs"),
      open_(db, "SELECT " COLUMNS " FROM jobs WHERE done=0 ORDER BY n"),
      unindexed_(db, "SELECT " COLUMNS " FROM jobs WHERE done=1 AND indexed=0 ORDER BY n"),
      newest_(db, "SELECT " COLUMNS " FROM jobs WHERE done=1 ORDER BY n DESC LIMIT ?") {}

void jobs::insert_intent(const job& j, const std::optional<job_key>& made_by) {
  insert_(j.uuid, j.dataset_sha, j.command_key, j.params_json, j.result_dir, j.log_path,
          j.wanted.gpus, j.wanted.cpus, j.wanted.mem_mb, j.wanted.time_limit_s, j.state, j.seq,
          std::int64_t{j.created_at.time_since_epoch().count()}, j.extras.name,
          j.extras.experiment_id, j.extras.labels_json, j.extras.env_json, j.extras.signal,
          joined(j.extras.after), j.extras.webhook_url, j.array_uuid, j.array_index,
          std::int64_t{j.held}, made_by ? std::optional{made_by->key} : std::nullopt,
          made_by ? std::optional{made_by->fingerprint} : std::nullopt);
}

void jobs::update(const job& j) {
  update_(known(j.id), known(j.slurm_id), j.state, std::int64_t{j.done}, std::int64_t{j.indexed},
          std::int64_t{j.cancel_requested}, j.seq, large(j.exit_code), large(j.exit_signal),
          j.reason, j.node, milliseconds(j.started_at), milliseconds(j.ended_at), j.result_dir,
          j.attempt, std::int64_t{j.held}, j.uuid);
}

void jobs::remove(std::string_view uuid) {
  remove_(uuid);
}

std::optional<job> jobs::find(std::int64_t id) {
  auto rows = find_(id);
  const auto row = rows.first();
  return row ? std::optional{read_job(*row)} : std::nullopt;
}

std::optional<std::pair<job, std::string>> jobs::find_key(std::string_view key) {
  constexpr int fingerprint = 35; // the column after those of a job
  auto rows = find_key_(key);
  const auto row = rows.first();
  return row ? std::optional{std::pair{read_job(*row), row->text(fingerprint)}} : std::nullopt;
}

std::int64_t jobs::largest_id() {
  auto rows = largest_();
  return rows.first()->integer(0);
}

std::vector<job> jobs::read(sqlite::statement& query) {
  std::vector<job> found;
  for (auto r : query())
    found.push_back(read_job(r));
  return found;
}

std::vector<job> jobs::open() {
  return read(open_);
}
std::vector<job> jobs::unindexed() {
  return read(unindexed_);
}

std::vector<job> jobs::newest(std::int64_t limit) {
  std::vector<job> found;
  for (auto r : newest_(limit))
    found.push_back(read_job(r));
  return found;
}

} // namespace jobrunner::store
