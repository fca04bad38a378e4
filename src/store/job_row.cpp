#include "store/job_row.hpp"

#include "store/times.hpp"

#include <algorithm>
#include <charconv>

namespace jobrunner::store {

namespace {

std::optional<int> small(const sqlite::row& r, int column) {
  return r.null(column) ? std::nullopt : std::optional{static_cast<int>(r.integer(column))};
}

std::vector<std::int64_t> ids_of(std::string_view text) {
  std::vector<std::int64_t> ids;
  while (!text.empty()) {
    std::from_chars(text.data(), text.data() + text.size(), ids.emplace_back());
    text.remove_prefix(
        std::min(text.size(), text.find(',') == text.npos ? text.npos : text.find(',') + 1));
  }
  return ids;
}

job_extras read_extras(const sqlite::row& r, int first) {
  return {r.text(first),     r.text(first + 1),         r.text(first + 2), r.text(first + 3),
          r.text(first + 4), ids_of(r.text(first + 5)), r.text(first + 6)};
}

} // namespace

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
  j.array_spec = r.text(35);
  j.requeued_from = r.integer(36);
  j.experiment = r.text(37);
  j.log_tail = r.text(38);
  j.kill_at = moment(r, 39);
  return j;
}

} // namespace jobrunner::store
