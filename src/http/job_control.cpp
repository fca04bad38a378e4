// What can be done to a job after its submit: cancel, hold, release, delete.
#include "actors/ask.hpp"
#include "core/error.hpp"
#include "http/handlers.hpp"
#include "http/render.hpp"

namespace jobrunner::http {

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t longest_grace_s = 3600;
constexpr std::int64_t usual_grace_s = 30; // Slurm's own KillWait, here

cancel_order order_of(const exchange& x) {
  x.form.allow({"signal", "grace_s"});
  cancel_order order;
  order.id = job_id(x.args.at(0));
  const bool gently = x.form.has("signal") || x.form.has("grace_s");
  if (gently)
    order.signal = x.form.text_or("signal", "TERM");
  if (gently && order.signal.empty())
    throw failure(errc::invalid, "signal is empty, but must be the name or number of a signal");
  order.grace = std::chrono::seconds{
      x.form.integer_or("grace_s", gently ? usual_grace_s : 0, 0, longest_grace_s)};
  return order;
}

asio::awaitable<response> hold(exchange& x, bool on) {
  x.form.allow({});
  const auto id = job_id(x.args.at(0));
  const auto now =
      co_await ask(x.with.to.jobs, x.with.settings.slurm_timeout * 2 + 10s, atom::hold_v, id, on);
  co_return json(beast::status::ok, to_json(now));
}

} // namespace

// POST /jobs/{id}/cancel
asio::awaitable<response> cancel_job(exchange& x) {
  const auto order = order_of(x);
  co_await ask(x.with.to.jobs, x.with.settings.slurm_timeout * 2 + 10s, atom::cancel_v, order);
  co_return json(beast::status::ok, {{"job_id", order.id}, {"status", "CANCELLED_REQUESTED"}});
}

// POST /jobs/{id}/hold
asio::awaitable<response> hold_job(exchange& x) {
  auto res = co_await hold(x, true);
  co_return res;
}

// POST /jobs/{id}/release
asio::awaitable<response> release_job(exchange& x) {
  auto res = co_await hold(x, false);
  co_return res;
}

// DELETE /jobs/{id}
asio::awaitable<response> delete_job(exchange& x) {
  const auto id = job_id(x.args.at(0));
  co_await ask(x.with.to.jobs, 30s, atom::remove_v, id);
  co_return json(beast::status::ok, {{"job_id", id}, {"deleted", true}});
}

} // namespace jobrunner::http
