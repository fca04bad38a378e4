#include "http/render.hpp"

#include "core/duration.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace jobrunner::http {

namespace {

using boost::json::value;

value number(const std::optional<int>& n) {
  return n ? value(*n) : value(nullptr);
}

value gigabytes(std::int64_t mb) {
  return mb % 1024 == 0 ? value(mb / 1024) : value(static_cast<double>(mb) / 1024);
}

value labels_of(const job& j) {
  if (j.extras.labels_json == "{}") // the usual, on the most frequent of all calls
    return boost::json::object{};
  return boost::json::parse(j.extras.labels_json);
}

value strings(const std::vector<std::string>& all) {
  return boost::json::array(all.begin(), all.end());
}

value array_of(const job& j) {
  if (j.array_uuid.empty())
    return nullptr;
  return {{"id", j.array_uuid}, {"index", j.array_index}};
}

/// Without its query, which may hold a key.
std::string shown_url(const std::string& url) {
  const auto query = url.find('?');
  return query == std::string::npos ? url : url.substr(0, query) + "?***";
}

boost::json::object task_to_json(const job& j) {
  return {{"index", j.array_index},
          {"job_id", j.id},
          {"status", j.state},
          {"done", j.done},
          {"exit_code", number(j.exit_code)},
          {"reason", j.reason}};
}

} // namespace

value moment(const std::optional<timestamp>& t) {
  return t ? value(to_rfc3339(*t)) : value(nullptr);
}

boost::json::object to_json(const job_plan& p) {
  return {{"dry_run", true},
          {"argv", strings(p.argv)},
          {"script", strings(p.script)},
          {"environment", strings(p.environment)},
          {"tasks", p.tasks},
          {"missing", strings(p.missing)},
          {"estimated_start", moment(p.start)}};
}

boost::json::object to_json(const array_view& a, const std::string& id) {
  boost::json::object counts;
  for (const auto& [state, count] : a.states)
    counts[state] = count;
  boost::json::array tasks;
  for (const auto& j : a.tasks)
    tasks.emplace_back(task_to_json(j));
  return {{"id", id},
          {"done", a.done},
          {"counts", std::move(counts)},
          {"tasks", std::move(tasks)},
          {"next_cursor", a.next_cursor ? value(std::to_string(*a.next_cursor)) : value(nullptr)}};
}

boost::json::object tasks_to_json(const std::vector<job>& tasks) {
  boost::json::array list;
  for (const auto& j : tasks)
    list.push_back({{"index", j.array_index}, {"job_id", j.id}});
  return {{"id", tasks.front().array_uuid}, {"tasks", std::move(list)}};
}

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
          {"name", j.extras.name},
          {"labels", labels_of(j)},
          {"experiment_id", j.experiment.empty() ? "job-" + std::to_string(j.id) : j.experiment},
          {"array", array_of(j)},
          {"after", boost::json::array(j.extras.after.begin(), j.extras.after.end())},
          {"held", j.held},
          {"attempt", j.attempt},
          {"requeued_from", j.requeued_from > 0 ? value(j.requeued_from) : value(nullptr)},
          {"log_tail", j.log_tail.empty() ? value(nullptr) : value(j.log_tail)},
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
            {"signal", j.extras.signal},
            {"webhook_url", shown_url(j.extras.webhook_url)},
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

boost::json::object to_json(const webhook_view& w) {
  return {{"state", w.state},
          {"delivered_seq", w.delivered_seq},
          {"tries", w.tries},
          {"next_try_at", moment(w.next_try)},
          {"error", w.error.empty() ? value(nullptr) : value(w.error)}};
}

boost::json::object to_json(const output& o) {
  return {{"experiment_id", o.experiment_id},
          {"output_id", o.output_id},
          {"path", o.path},
          {"job_id", o.job_id},
          {"bytes", o.bytes},
          {"kind", o.kind},
          {"sha256", o.sha256.empty() ? value(nullptr) : value(o.sha256)},
          {"created_at", to_rfc3339(o.created_at)}};
}

} // namespace jobrunner::http
