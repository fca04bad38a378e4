// Jobs: submit, look, wait, cancel.
#include "actors/ask.hpp"
#include "core/duration.hpp"
#include "core/error.hpp"
#include "core/sha256.hpp"
#include "http/handlers.hpp"
#include "http/lookup.hpp"
#include "http/render.hpp"
#include "http/text/ascii.hpp"
#include "http/text/header_value.hpp"
#include "http/text/idempotency_key.hpp"

#include <charconv>

namespace jobrunner::http {

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t longest_wait = 300;
constexpr std::int64_t plenty = 1000000; // what the node has is checked where it is known

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::optional<std::int64_t> given(const fields& form, std::string_view name, std::int64_t least) {
  return form.has(name) ? std::optional{form.integer(name, least, plenty)} : std::nullopt;
}

std::string etag_of(const job& j) {
  return "\"" + std::to_string(j.seq) + "\"";
}

/// Seconds of `Prefer: wait=S` (RFC 7240, 4.3); other preferences and nonsense mean none.
std::int64_t preferred_wait(std::string_view prefer) {
  while (!prefer.empty()) {
    const auto one = trimmed(prefer.substr(0, prefer.find_first_of(",;")));
    prefer.remove_prefix(
        std::min(prefer.size(), prefer.find_first_of(",;") == std::string_view::npos
                                    ? prefer.size()
                                    : prefer.find_first_of(",;") + 1));
    const auto equals = one.find('=');
    if (equals == std::string_view::npos || !same_word(trimmed(one.substr(0, equals)), "wait"))
      continue;
    const auto digits = trimmed(one.substr(equals + 1));
    std::int64_t seconds = 0;
    const auto* end = digits.data() + digits.size();
    const auto [at, ec] = std::from_chars(digits.data(), end, seconds);
    if (ec == std::errc{} && at == end && seconds >= 0)
      return std::min(seconds, longest_wait);
  }
  return 0;
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

job_wait wait_of(const exchange& x, std::int64_t id) {
  job_wait w;
  w.id = id;
  const auto seconds = x.query.has("wait") ? x.query.integer("wait", 0, longest_wait)
                                           : preferred_wait(view(x.headers["Prefer"]));
  w.patience = std::chrono::seconds{seconds};
  if (x.query.has("since"))
    w.since_state = x.query.text("since");
  const auto tag = view(x.headers[beast::field::if_none_match]);
  std::int64_t seq = 0;
  if (tag.size() > 2 &&
      std::from_chars(tag.data() + 1, tag.data() + tag.size() - 1, seq).ec == std::errc{})
    w.since_seq = seq;
  return w;
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
  const auto what = wait_of(x, job_id(x.args.at(0)));
  auto found = co_await find_job(x.with, what.id);
  if (what.patience > 0s && !found.done)
    found = co_await ask(x.with.to.jobs, what.patience + 10s, atom::wait_v, what);
  const auto slurm = x.with.published.slurm.view();
  auto res =
      json(beast::status::ok, to_json(found, stale_since(slurm, std::chrono::steady_clock::now())));
  if (what.since_seq == found.seq) {
    res = response{};
    res.message.result(beast::status::not_modified);
  }
  res.message.set(beast::field::etag, etag_of(found));
  res.message.set(beast::field::cache_control, "no-cache");
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
