// Jobs: submit, look, wait, cancel.
#include "actors/ask.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "http/handlers.hpp"
#include "http/lookup.hpp"
#include "http/render.hpp"
#include "http/text/conditions.hpp"
#include "http/text/idempotency_key.hpp"
#include "http/text/preferences.hpp"

namespace jobrunner::http {

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t longest_wait = 300;
constexpr std::int64_t plenty = 1000000; // what the node has is checked where it is known

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// All of a header that may come in several lines (RFC 9110, 5.3).
std::string joined(const beast::fields& headers, std::string_view name) {
  std::string all;
  const auto [first, last] = headers.equal_range({name.data(), name.size()});
  for (auto it = first; it != last; ++it)
    all += (all.empty() ? "" : ", ") + std::string{it->value()};
  return all;
}

std::optional<std::int64_t> given(const fields& form, std::string_view name, std::int64_t least) {
  return form.has(name) ? std::optional{form.integer(name, least, plenty)} : std::nullopt;
}

std::string etag_of(const job& j) {
  return "\"" + std::to_string(j.seq) + "\"";
}

/// What GET /jobs/{id} asks.
struct question {
  std::int64_t id = 0;
  std::chrono::seconds patience{};
  std::optional<std::int64_t> preferred; // the patience was asked for by Prefer
  std::optional<std::string> state;      // tell me when it is another one
  std::optional<std::string> tags;       // If-None-Match
};

question question_of(const exchange& x) {
  question q;
  q.id = job_id(x.args.at(0));
  if (x.query.has("wait"))
    q.patience = std::chrono::seconds{x.query.integer("wait", 0, longest_wait)};
  else
    q.preferred = preferred_wait(joined(x.headers, "Prefer"), longest_wait);
  if (q.preferred)
    q.patience = std::chrono::seconds{*q.preferred};
  if (x.query.has("since"))
    q.state = x.query.text("since");
  if (x.headers.count(beast::field::if_none_match) > 0)
    q.tags = joined(x.headers, "If-None-Match");
  return q;
}

/// Of a request that may be sent again: its key, and what tells it from another one.
void take_key(const exchange& x, job_request& r) {
  constexpr auto name = "Idempotency-Key";
  const auto [first, last] = x.headers.equal_range(name);
  if (first == last)
    return;
  if (std::next(first) != last)
    throw failure(errc::invalid, "the header Idempotency-Key is given more than once");
  r.idempotency_key = parse_idempotency_key(view(first->value()));
  r.fingerprint = sha256_of("POST /jobs\n" + x.form.canonical());
}

bool unchanged(const question& q, const job& j) {
  return q.tags && !none_match(*q.tags, etag_of(j));
}

/// Whether there is something to tell of a job as it is: without `since` and If-None-Match its end.
bool worth_telling(const question& q, const job& j) {
  return j.done || (q.state && *q.state != j.state) || (q.tags && !unchanged(q, j));
}

response answer(const context& with, const question& q, const job& j) {
  const auto stale = stale_since(with.published.slurm.view(), std::chrono::steady_clock::now());
  auto res = unchanged(q, j) ? response{} : json(beast::status::ok, to_json(j, stale));
  if (unchanged(q, j))
    res.message.result(beast::status::not_modified);
  res.message.set(beast::field::etag, etag_of(j));
  res.message.set(beast::field::cache_control, "no-cache");
  if (q.preferred)
    res.message.set("Preference-Applied", "wait=" + std::to_string(*q.preferred));
  return res;
}

/// Answers if there is something to tell, or it is late.
asio::awaitable<bool> look(const context& with, const question& q, bool late, std::int64_t& seq,
                           response& res) {
  const auto j = co_await find_job(with, q.id);
  seq = j.seq;
  const bool tell = late || worth_telling(q, j);
  if (tell)
    res = answer(with, q, j);
  co_return tell;
}

asio::awaitable<void> wait_for_job(const context& with, question q, std::int64_t seq,
                                   response& res) {
  const auto end = std::chrono::steady_clock::now() + q.patience;
  for (bool told = false; !told;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const auto now =
        co_await ask(with.to.jobs, in_its_time, atom::wait_v, event_wait{q.id, seq, left});
    told = co_await look(with, q, now <= seq, seq, res);
  }
}

} // namespace

// POST /jobs
asio::awaitable<response> submit_job(exchange& x) {
  x.form.allow(
      {"dataset_sha", "command_key", "params_json", "gpus", "cpus", "mem_gb", "time_limit"});
  job_request r;
  r.dataset_sha = x.form.text("dataset_sha");
  r.command_key = x.form.text("command_key");
  r.params_json = x.form.json_text_or("params_json", "{}");
  r.gpus = given(x.form, "gpus", 0);
  r.cpus = given(x.form, "cpus", 1);
  r.mem_gb = given(x.form, "mem_gb", 1);
  if (x.form.has("time_limit"))
    r.time_limit_s = parse_time_limit(x.form.text("time_limit"));
  take_key(x, r);
  const auto made = co_await ask(x.with.to.jobs, x.with.settings.slurm_timeout * 2 + 30s,
                                 atom::submit_v, std::move(r));
  auto res = json(beast::status::ok, {{"job_id", made.id}, {"status", "SUBMITTED"}});
  res.message.set(beast::field::location, "/jobs/" + std::to_string(made.id));
  co_return res;
}

// GET /jobs/{id}?wait=S&since=STATE: at once from the snapshot, or when something has happened.
asio::awaitable<response> get_job(exchange& x) {
  x.query.allow({"wait", "since"});
  auto q = question_of(x);
  response res;
  std::int64_t seq = 0;
  const bool told = co_await look(x.with, q, q.patience <= 0s, seq, res);
  if (!told)
    res.later = [&with = x.with, q = std::move(q), seq](response& into) {
      return wait_for_job(with, q, seq, into);
    };
  co_return res;
}

// POST /jobs/{id}/cancel
asio::awaitable<response> cancel_job(exchange& x) {
  x.form.allow({});
  const auto id = job_id(x.args.at(0));
  co_await ask(x.with.to.jobs, x.with.settings.slurm_timeout + 10s, atom::cancel_v, id);
  co_return json(beast::status::ok, {{"job_id", id}, {"status", "CANCELLED_REQUESTED"}});
}

} // namespace jobrunner::http
