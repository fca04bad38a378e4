// Lists of outputs.
#include "actors/ask.hpp"
#include "http/handlers.hpp"
#include "http/lookup.hpp"
#include "http/render.hpp"

#include <limits>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;

output_query page_of(const fields& query) {
  output_query q;
  q.limit = query.integer_or("limit", 100, 1, 1000);
  q.cursor = query.integer_or("cursor", 0, 1, std::numeric_limits<std::int64_t>::max());
  return q;
}

boost::json::object render(const output_list& page) {
  boost::json::array items;
  items.reserve(page.items.size());
  for (const auto& o : page.items)
    items.emplace_back(to_json(o));
  return {{"outputs", std::move(items)},
          {"next_cursor",
           page.next_cursor > 0 ? boost::json::value(std::to_string(page.next_cursor)) : nullptr}};
}

} // namespace

// POST /outputs/index/{job_id}
asio::awaitable<response> index_outputs(exchange& x) {
  x.form.allow({});
  const auto known = co_await find_job(x.with, job_id(x.args.at(0)));
  const job& j = *known;
  const auto made = co_await ask(x.with.to.indexer, 120s, atom::index_v, j);
  co_return json(beast::status::ok, {{"experiment_id", made.experiment_id}, {"count", made.count}});
}

// GET /outputs/by_job/{job_id}
asio::awaitable<response> list_outputs_of_job(exchange& x) {
  x.query.allow({"limit", "cursor"});
  auto q = page_of(x.query);
  const auto known = co_await find_indexed_job(x.with, job_id(x.args.at(0)));
  const job& j = *known;
  q.job_id = j.id;
  const auto page = co_await ask(x.with.to.outputs, 30s, atom::list_v, q);
  auto body = render(page);
  body.emplace("job_id", j.id);
  body.emplace("result_dir", j.result_dir);
  body.emplace("problems",
               boost::json::array(page.problems.first.begin(), page.problems.first.end()));
  body.emplace("problems_total", page.problems.total);
  co_return json(beast::status::ok, std::move(body));
}

// GET /outputs?experiment_id=&prefix=
asio::awaitable<response> list_outputs(exchange& x) {
  x.query.allow({"experiment_id", "prefix", "limit", "cursor"});
  auto q = page_of(x.query);
  q.experiment_id = x.query.text_or("experiment_id", "");
  q.prefix = x.query.text_or("prefix", "");
  const auto page = co_await ask(x.with.to.outputs, 30s, atom::list_v, q);
  co_return json(beast::status::ok, render(page));
}

} // namespace jobrunner::http
