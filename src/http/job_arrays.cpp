// Arrays of jobs as one thing.
#include "actors/ask.hpp"
#include "http/handlers.hpp"
#include "http/render.hpp"

#include <limits>

namespace jobrunner::http {

using namespace std::chrono_literals;

// GET /arrays/{id}
asio::awaitable<response> get_array(exchange& x) {
  x.query.allow({"limit", "cursor"});
  array_query q;
  q.array = x.args.at(0);
  q.limit = x.query.integer_or("limit", 100, 1, 1000);
  q.cursor = x.query.integer_or("cursor", -1, 0, std::numeric_limits<std::int64_t>::max());
  const auto found = co_await ask(x.with.to.job_lists, 30s, atom::find_v, q);
  co_return json(beast::status::ok, to_json(found, q.array));
}

// POST /arrays/{id}/cancel
asio::awaitable<response> cancel_array(exchange& x) {
  x.form.allow({});
  const auto count = co_await ask(x.with.to.jobs, x.with.settings.slurm_timeout * 3 + 10s,
                                  atom::cancel_v, x.args.at(0));
  co_return json(beast::status::ok, {{"id", x.args.at(0)}, {"cancel_requested", count}});
}

// POST /arrays/{id}/retry
asio::awaitable<response> retry_array(exchange& x) {
  x.form.allow({});
  const auto made =
      co_await ask(x.with.to.jobs,
                   x.with.settings.slurm_timeout * 2 + x.with.settings.max_array_tasks * 50ms + 30s,
                   atom::retry_v, x.args.at(0));
  co_return json(beast::status::ok, tasks_to_json(made));
}

} // namespace jobrunner::http
