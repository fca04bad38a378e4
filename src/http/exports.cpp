// Exports of jobs' outputs to buckets.
#include "core/error.hpp"
#include "http/handlers.hpp"
#include "http/lookup.hpp"
#include "http/transfers.hpp"

#include <limits>

namespace jobrunner::http {

// POST /outputs/export
asio::awaitable<response> export_to_bucket(exchange& x) {
  x.form.allow({"job_id", "bucket", "prefix"});
  const auto id = x.form.integer("job_id", 1, std::numeric_limits<std::int64_t>::max());
  const auto known = co_await find_job(x.with, id);
  const job& of = *known;
  if (!of.done)
    throw failure(errc::conflict, "job " + std::to_string(id) + " is " + of.state +
                                      "; its outputs can be exported once it has ended");
  transfer t;
  t.way = direction::out;
  t.job_id = id;
  t.bucket = x.form.text_or("bucket", "");
  t.prefix = x.form.text_or("prefix", "");
  auto res = co_await take_on(x, std::move(t));
  co_return res;
}

// GET /exports
asio::awaitable<response> list_exports(exchange& x) {
  return list(x, direction::out);
}

// GET /exports/{id}
asio::awaitable<response> get_export(exchange& x) {
  return show(x, direction::out);
}

// GET /exports/{id}/events
asio::awaitable<response> get_export_events(exchange& x) {
  return stream(x, direction::out);
}

// DELETE /exports/{id}
asio::awaitable<response> cancel_export(exchange& x) {
  return cancel(x, direction::out);
}

} // namespace jobrunner::http
