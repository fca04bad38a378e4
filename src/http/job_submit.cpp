// What makes a job: a submit, a job again, and a job like another one.
#include "actors/ask.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "http/handlers.hpp"
#include "http/job_form.hpp"
#include "http/lookup.hpp"
#include "http/render.hpp"
#include "http/text/idempotency_key.hpp"

namespace jobrunner::http {

using namespace std::chrono_literals;

namespace {

/// Of a request that may be sent again: its key, and what tells it from another one.
void take_key(const exchange& x, const std::string& call, job_request& r) {
  constexpr auto name = "Idempotency-Key";
  const auto [first, last] = x.headers.equal_range(name);
  if (first == last)
    return;
  if (std::next(first) != last)
    throw failure(errc::invalid, "the header Idempotency-Key is given more than once");
  const auto value = first->value();
  r.idempotency_key = parse_idempotency_key({value.data(), value.size()});
  r.fingerprint = sha256_of("POST " + call + "\n" + x.form.canonical());
}

constexpr auto each_task = 50ms; // sbatch takes some 7 ms, and four run at once

response submitted(const boost::json::object& body, std::int64_t id) {
  boost::json::object all{{"job_id", id}, {"status", "SUBMITTED"}};
  for (const auto& [key, value] : body)
    all.emplace(key, value);
  auto res = json(beast::status::ok, std::move(all));
  res.message.set(beast::field::location, "/jobs/" + std::to_string(id));
  return res;
}

/// One job, or all tasks of an array.
asio::awaitable<response> submit(const context& with, job_request r, boost::json::object body) {
  const auto patience = with.settings.slurm_timeout * 2 + 30s;
  if (r.array.empty() && r.array_uuid.empty()) {
    const auto made = co_await ask(with.to.jobs, patience, atom::submit_v, std::move(r));
    co_return submitted(body, made.id);
  }
  const auto made = co_await ask(with.to.jobs, patience + with.settings.max_array_tasks * each_task,
                                 atom::array_v, std::move(r));
  if (!body.contains("requeued_from"))
    body.emplace("array", tasks_to_json(made));
  co_return submitted(body, made.front().id);
}

/// The same with dry_run: what would happen.
asio::awaitable<response> submit_or_plan(exchange& x, job_request r) {
  if (!x.form.boolean_or("dry_run", false)) {
    boost::json::object body;
    auto res = co_await submit(x.with, std::move(r), std::move(body));
    co_return res;
  }
  const auto plan =
      co_await ask(x.with.to.jobs, x.with.settings.slurm_timeout + 10s, atom::plan_v, std::move(r));
  co_return json(beast::status::ok, to_json(plan));
}

} // namespace

// POST /jobs
asio::awaitable<response> submit_job(exchange& x) {
  auto r = read_job_form(x.form); // named: g++ 12 frees a coroutine's unnamed argument twice
  take_key(x, "/jobs", r);
  auto res = co_await submit_or_plan(x, std::move(r));
  co_return res;
}

// POST /jobs/{id}/requeue: the job again, in its place in an array.
asio::awaitable<response> requeue_job(exchange& x) {
  x.form.allow({});
  const auto known = co_await find_job(x.with, job_id(x.args.at(0)));
  const job& was = *known;
  if (!was.done)
    throw failure(errc::conflict, "job " + std::to_string(was.id) + " is " + was.state +
                                      "; it can run again when it has ended (cancel it, or wait)");
  auto r = request_again(was);
  r.requeued_from = was.id;
  r.array_uuid = was.array_uuid;
  take_key(x, "/jobs/" + std::to_string(was.id) + "/requeue", r);
  boost::json::object body{{"requeued_from", was.id}};
  auto res = co_await submit(x.with, std::move(r), std::move(body));
  co_return res;
}

// POST /jobs/{id}/clone: a job with the same inputs but for those that the body names.
asio::awaitable<response> clone_job(exchange& x) {
  const auto known = co_await find_job(x.with, job_id(x.args.at(0)));
  const job& was = *known;
  auto r = read_job_form(x.form, request_again(was));
  take_key(x, "/jobs/" + std::to_string(was.id) + "/clone", r);
  auto res = co_await submit_or_plan(x, std::move(r));
  co_return res;
}

} // namespace jobrunner::http
