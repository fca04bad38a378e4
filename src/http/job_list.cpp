// Lists of jobs.
#include "actors/ask.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "http/handlers.hpp"
#include "http/render.hpp"
#include "http/text/ascii.hpp"

namespace jobrunner::http {

using namespace std::chrono_literals;

namespace {

std::optional<timestamp> time_in(const fields& query, std::string_view name) {
  if (!query.has(name))
    return std::nullopt;
  const auto text = query.text(name);
  if (const auto t = from_rfc3339(text))
    return t;
  throw failure(errc::invalid, std::string{name} + " is " + shown(text) +
                                   "; it must be a time like 2026-11-23T08:15:30Z (a + as %2B), or "
                                   "milliseconds since 1970");
}

/// "key:value"
void read_label(const fields& query, job_query& q) {
  if (!query.has("label"))
    return;
  const auto text = query.text("label");
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0)
    throw failure(errc::invalid, "label is " + shown(text) + "; it must be like key:value");
  q.label_key = text.substr(0, colon);
  q.label_value = text.substr(colon + 1);
}

job_query query_of(const fields& query) {
  query.allow({"status", "command_key", "dataset_sha", "experiment_id", "name", "label", "array",
               "since", "until", "limit", "cursor"});
  job_query q;
  q.status = query.text_or("status", "");
  q.command_key = query.text_or("command_key", "");
  q.dataset_sha = lower(query.text_or("dataset_sha", ""));
  q.experiment_id = query.text_or("experiment_id", "");
  q.name = query.text_or("name", "");
  q.array = query.text_or("array", "");
  read_label(query, q);
  q.since = time_in(query, "since");
  q.until = time_in(query, "until");
  q.cursor = query.text_or("cursor", "");
  q.limit = query.integer_or("limit", 100, 1, 1000);
  return q;
}

} // namespace

// GET /jobs
asio::awaitable<response> list_jobs(exchange& x) {
  const auto q = query_of(x.query);
  const auto page = co_await ask(x.with.to.job_lists, 30s, atom::list_v, q);
  boost::json::array jobs;
  jobs.reserve(page.items.size());
  for (const auto& j : page.items)
    jobs.emplace_back(to_json(j));
  const auto next =
      page.next_cursor.empty() ? boost::json::value(nullptr) : boost::json::value(page.next_cursor);
  co_return json(beast::status::ok, {{"jobs", std::move(jobs)}, {"next_cursor", next}});
}

} // namespace jobrunner::http
