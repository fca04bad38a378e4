#include "http/render.hpp"

#include "core/duration.hpp"

#include <boost/json/value.hpp>

namespace jobrunner::http {

namespace {

using boost::json::value;

value moment(const std::optional<timestamp>& t) {
  return t ? value(to_rfc3339(*t)) : value(nullptr);
}

value number(const std::optional<int>& n) {
  return n ? value(*n) : value(nullptr);
}

value gigabytes(std::int64_t mb) {
  return mb % 1024 == 0 ? value(mb / 1024) : value(static_cast<double>(mb) / 1024);
}

} // namespace

boost::json::object to_json(const dataset& d) {
  return {{"sha256", d.sha256},
          {"rel_path", d.rel_path},
          {"bytes", d.bytes},
          {"created_at", to_rfc3339(d.created_at)}};
}

boost::json::object to_json(const job& j) {
  return {{"job_id", j.id},
          {"status", j.state},
          {"done", j.done},
          {"seq", j.seq},
          {"exit_code", number(j.exit_code)},
          {"exit_signal", number(j.exit_signal)},
          {"reason", j.reason},
          {"node", j.node},
          {"attempt", j.attempt},
          {"indexed", j.indexed},
          {"cancel_requested", j.cancel_requested},
          {"started_at", moment(j.started_at)},
          {"ended_at", moment(j.ended_at)},
          {"meta",
           {{"slurm_id", j.slurm_id},
            {"uuid", j.uuid},
            {"dataset_sha", j.dataset_sha},
            {"command_key", j.command_key},
            {"params_json", j.params_json},
            {"result_dir", j.result_dir},
            {"log_path", j.log_path},
            {"gpus", j.wanted.gpus},
            {"cpus", j.wanted.cpus},
            {"mem_gb", gigabytes(j.wanted.mem_mb)},
            {"time_limit", to_time_limit(j.wanted.time_limit_s)},
            {"created_at", to_rfc3339(j.created_at)}}}};
}

boost::json::object to_json(const job& j, const std::optional<timestamp>& stale_since) {
  auto body = to_json(j);
  const bool stale = stale_since && !j.done; // what has ended stays so
  const bool known_once = stale && *stale_since != timestamp{};
  body.emplace("stale", stale);
  body.emplace("stale_since", known_once ? moment(stale_since) : value(nullptr));
  return body;
}

boost::json::object to_json(const job_event& e) {
  return {{"job_id", e.job_id}, {"seq", e.seq},       {"type", e.type},        {"status", e.state},
          {"done", e.done},     {"reason", e.reason}, {"at", to_rfc3339(e.at)}};
}

boost::json::object to_json(const output& o) {
  return {{"experiment_id", o.experiment_id},
          {"output_id", o.output_id},
          {"path", o.path},
          {"job_id", o.job_id},
          {"bytes", o.bytes},
          {"kind", o.kind},
          {"created_at", to_rfc3339(o.created_at)}};
}

} // namespace jobrunner::http
