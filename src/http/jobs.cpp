// A job as it is, at once or when something has happened.
#include "actors/ask.hpp"
#include "http/handlers.hpp"
#include "http/late_ask.hpp"
#include "http/lookup.hpp"
#include "http/render.hpp"
#include "http/shown_jobs.hpp"
#include "http/text/conditions.hpp"
#include "http/text/limits.hpp"
#include "http/text/preferences.hpp"

#include <boost/json/serialize.hpp>

namespace jobrunner::http {

using namespace std::chrono_literals;

namespace {

/// All of a header that may come in several lines (RFC 9110, 5.3).
std::string joined(const beast::fields& headers, std::string_view name) {
  std::string all;
  const auto [first, last] = headers.equal_range({name.data(), name.size()});
  for (auto it = first; it != last; ++it)
    all += (all.empty() ? "" : ", ") + std::string{it->value()};
  return all;
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

bool unchanged(const question& q, const job& j) {
  return q.tags && !none_match(*q.tags, etag_of(j));
}

/// Without `since` and If-None-Match.
bool only_its_end(const question& q) {
  return !q.state && !q.tags;
}

/// Whether there is something to tell of a job as it is.
bool worth_telling(const question& q, const job& j) {
  return j.done || (q.state && *q.state != j.state) || (q.tags && !unchanged(q, j));
}

/// How far its events have come changes without the job, and so is asked for.
asio::awaitable<boost::json::value> webhook_of(const context& with, const question& q,
                                               const job& j) {
  boost::json::value shown;
  if (!j.extras.webhook_url.empty() && !unchanged(q, j)) {
    const auto view = co_await ask(with.to.webhooks, 10s, atom::get_v, j.id);
    shown = to_json(view);
  }
  co_return shown;
}

std::string body_of(const job& j, const std::optional<timestamp>& stale,
                    const boost::json::value& webhook) {
  auto body = to_json(j, stale);
  body.emplace("webhook", webhook);
  return boost::json::serialize(body);
}

/// What changes without the job is not kept.
std::string body_of(const context& with, const std::shared_ptr<const job>& j,
                    const boost::json::value& webhook) {
  const auto stale = stale_since(with.published.slurm.view(), std::chrono::steady_clock::now());
  if (stale || !webhook.is_null())
    return body_of(*j, stale, webhook);
  return with.shown.text_of(j, [](const job& same) { return body_of(same, {}, {}); });
}

response answer(const context& with, const question& q, const std::shared_ptr<const job>& known,
                const boost::json::value& webhook) {
  const job& j = *known;
  response res;
  if (unchanged(q, j))
    res.message.result(beast::status::not_modified);
  else
    res = text(beast::status::ok, "application/json", body_of(with, known, webhook));
  res.message.set(beast::field::etag, etag_of(j));
  res.message.set(beast::field::cache_control, "no-cache");
  if (q.preferred)
    res.message.set("Preference-Applied", "wait=" + std::to_string(*q.preferred));
  return res;
}

/// Answers if there is something to tell, or it is late.
asio::awaitable<bool> look(const context& with, const question& q, bool late, std::int64_t& seq,
                           response& res) {
  const auto known = co_await find_job(with, q.id);
  const job& j = *known;
  seq = j.seq;
  const bool tell = late || worth_telling(q, j);
  if (!tell)
    co_return false;
  const auto webhook = co_await webhook_of(with, q, j);
  res = answer(with, q, known, webhook);
  co_return true;
}

class late_job final : public late_answer {
public:
  late_job(const context& with, question q, std::int64_t seq)
      : with_(with),
        question_(std::move(q)),
        seq_(seq),
        end_(clock::now() + question_.patience) {}

  void wait(const asio::any_io_executor& ex, asio::cancellation_slot cancelled,
            std::function<void()> done) override {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - clock::now());
    ask_late(ex, cancelled, std::move(done), newest_, with_.to.jobs, in_its_time, atom::wait_v,
             event_wait{question_.id, seq_, left, only_its_end(question_)});
  }

  asio::awaitable<bool> make(response& res) override {
    const bool late = value_of(newest_) <= seq_;
    const bool told = co_await look(with_, question_, late, seq_, res);
    co_return told;
  }

private:
  using clock = std::chrono::steady_clock;
  const context& with_;
  const question question_;
  std::int64_t seq_; // what its client knows, and what has been found not worth telling
  const clock::time_point end_;
  caf::expected<std::int64_t> newest_{caf::error{}};
};

} // namespace

// GET /jobs/{id}?wait=S&since=STATE: at once from the snapshot, or when something has happened.
asio::awaitable<response> get_job(exchange& x) {
  x.query.allow({"wait", "since"});
  auto q = question_of(x);
  response res;
  std::int64_t seq = 0;
  const bool told = co_await look(x.with, q, q.patience <= 0s, seq, res);
  if (!told)
    res.later = std::make_unique<late_job>(x.with, std::move(q), seq);
  co_return res;
}

} // namespace jobrunner::http
