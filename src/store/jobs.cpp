#include "store/jobs.hpp"

#include "store/job_row.hpp"
#include "store/times.hpp"

#include <boost/json/parse.hpp>

namespace jobrunner::store {

namespace {

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

} // namespace

jobs::jobs(sqlite::database& db)
    : db_(db),
      insert_(db,
              "INSERT INTO jobs(uuid, dataset_sha, command_key, params_json, result_dir, log_path, "
              "gpus, cpus, mem_mb, time_limit_s, state, done, indexed, cancel_requested, seq, "
              "reason, node, created_at, name, experiment_id, labels_json, env_json, signal, "
              "after_ids, webhook_url, array_uuid, array_index, held, array_spec, requeued_from, "
              "experiment, idempotency_key, fingerprint) "
              "VALUES(?,?,?,?,?,?,?,?,?,?,?,0,0,0,?,'','',?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
      update_(db, "UPDATE jobs SET job_id=?, slurm_id=?, state=?, done=?, indexed=?, "
                  "cancel_requested=?, seq=?, exit_code=?, exit_signal=?, reason=?, node=?, "
                  "started_at=?, ended_at=?, result_dir=?, attempt=?, held=?, experiment=?, "
                  "log_tail=?, kill_at=? WHERE uuid=?"),
      label_(db, "INSERT INTO labels(key, value, at, job) "
                 "SELECT ?, ?, created_at, n FROM jobs WHERE uuid=?"),
      unlabel_(db, "DELETE FROM labels WHERE job = (SELECT n FROM jobs WHERE uuid=?)"),
      remove_(db, "DELETE FROM jobs WHERE uuid=?"),
      find_(db, "SELECT " JOB_COLUMNS " FROM jobs WHERE job_id=?"),
      find_uuid_(db, "SELECT " JOB_COLUMNS " FROM jobs WHERE uuid=?"),
      find_key_(db, "SELECT " JOB_COLUMNS ", fingerprint FROM jobs WHERE idempotency_key=?"),
      largest_(db, "SELECT max(coalesce((SELECT max(job_id) FROM jobs), 0), "
                   "coalesce((SELECT max(job_id) FROM deleted), 0))"),
      open_(db, "SELECT " JOB_COLUMNS " FROM jobs WHERE done=0 ORDER BY n"),
      unindexed_(db, "SELECT " JOB_COLUMNS " FROM jobs WHERE done=1 AND indexed=0 ORDER BY n"),
      newest_(db, "SELECT " JOB_COLUMNS " FROM jobs WHERE done=1 ORDER BY n DESC LIMIT ?"),
      tasks_(db, "SELECT " JOB_COLUMNS ", max(n) FROM jobs WHERE array_uuid=? AND array_uuid<>'' "
                 "GROUP BY array_index ORDER BY array_index"),
      first_tasks_(db, "SELECT " JOB_COLUMNS " FROM jobs WHERE array_uuid=? AND array_uuid<>'' "
                       "AND requeued_from=0 ORDER BY array_index") {}

void jobs::insert_intent(const job& j, const std::optional<job_key>& made_by) {
  const auto labels = boost::json::parse(j.extras.labels_json);
  std::optional<sqlite::transaction> own;
  if (!labels.as_object().empty() && !db_.in_transaction())
    own.emplace(db_);
  insert_(j.uuid, j.dataset_sha, j.command_key, j.params_json, j.result_dir, j.log_path,
          j.wanted.gpus, j.wanted.cpus, j.wanted.mem_mb, j.wanted.time_limit_s, j.state, j.seq,
          std::int64_t{j.created_at.time_since_epoch().count()}, j.extras.name,
          j.extras.experiment_id, j.extras.labels_json, j.extras.env_json, j.extras.signal,
          joined(j.extras.after), j.extras.webhook_url, j.array_uuid, j.array_index,
          std::int64_t{j.held}, j.array_spec, j.requeued_from, j.experiment,
          made_by ? std::optional{made_by->key} : std::nullopt,
          made_by ? std::optional{made_by->fingerprint} : std::nullopt);
  for (const auto& [key, value] : labels.as_object())
    label_(std::string_view{key}, std::string_view{value.as_string()}, j.uuid);
  if (own)
    own->commit();
}

void jobs::update(const job& j) {
  update_(known(j.id), known(j.slurm_id), j.state, std::int64_t{j.done}, std::int64_t{j.indexed},
          std::int64_t{j.cancel_requested}, j.seq, large(j.exit_code), large(j.exit_signal),
          j.reason, j.node, milliseconds(j.started_at), milliseconds(j.ended_at), j.result_dir,
          j.attempt, std::int64_t{j.held}, j.experiment, j.log_tail, milliseconds(j.kill_at),
          j.uuid);
}

void jobs::remove(std::string_view uuid) {
  unlabel_(uuid);
  remove_(uuid);
}

std::optional<job> jobs::find(std::int64_t id) {
  auto rows = find_(id);
  const auto row = rows.first();
  return row ? std::optional{read_job(*row)} : std::nullopt;
}

std::optional<job> jobs::find_uuid(std::string_view uuid) {
  auto rows = find_uuid_(uuid);
  const auto row = rows.first();
  return row ? std::optional{read_job(*row)} : std::nullopt;
}

std::optional<std::pair<job, std::string>> jobs::find_key(std::string_view key) {
  constexpr int fingerprint = job_column::n + 1;
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

std::vector<job> jobs::first_tasks(std::string_view array_uuid) {
  std::vector<job> found;
  for (auto r : first_tasks_(array_uuid))
    found.push_back(read_job(r));
  return found;
}

std::vector<job> jobs::tasks(std::string_view array_uuid) {
  std::vector<job> found;
  for (auto r : tasks_(array_uuid))
    found.push_back(read_job(r));
  return found;
}

std::vector<job> jobs::newest(std::int64_t limit) {
  std::vector<job> found;
  for (auto r : newest_(limit))
    found.push_back(read_job(r));
  return found;
}

} // namespace jobrunner::store
