// What happened to jobs, as it happens: server-sent events, or pages of JSON that can be waited
// for.
#include "actors/ask.hpp"
#include "core/event_json.hpp"
#include "http/event_stream.hpp"
#include "http/handlers.hpp"
#include "http/late_ask.hpp"
#include "http/render.hpp"
#include "http/text/accept.hpp"
#include "http/text/limits.hpp"
#include "http/text/server_sent.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/serialize.hpp>

#include <limits>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t page_size = 100; // a slow reader holds so many, not the history
constexpr auto patience = 30s;          // for the reader of pages

/// Where a reader is in the events of a job, or with the id 0 of all.
struct place {
  std::int64_t job_id = 0, after = 0;
  std::int64_t of(const job_event& e) const { return job_id == 0 ? e.n : e.seq; }
};

bool wants_stream(const exchange& x) {
  const auto accept = view(x.headers[beast::field::accept]);
  const auto stream = accepted(accept, "text/event-stream"),
             page = accepted(accept, "application/json");
  const bool asks_for_page = x.query.has("wait") || x.query.has("limit");
  return stream > page || (stream == page && stream > 0 && !asks_for_page);
}

asio::awaitable<event_page> read_page(const context& with, place at, std::int64_t limit) {
  auto page =
      co_await ask(with.to.events, patience, atom::list_v, event_query{at.job_id, at.after, limit});
  co_return page;
}

response as_page(place at, const event_page& page) {
  boost::json::array items;
  for (const auto& e : page.items)
    items.emplace_back(to_json(e));
  const auto next = page.items.empty() ? at.after : at.of(page.items.back());
  boost::json::object body{{"events", std::move(items)}, {"next_after", next}};
  if (at.job_id > 0)
    body.emplace("over", page.over);
  auto res = json(beast::status::ok, std::move(body));
  res.message.set(beast::field::cache_control, "no-store");
  res.message.set(beast::field::vary, "Accept");
  return res;
}

class late_page final : public late_answer {
public:
  late_page(const context& with, place at, std::int64_t limit, std::chrono::seconds wait)
      : with_(with),
        at_(at),
        limit_(limit),
        wait_(wait) {}

  void wait(const asio::any_io_executor& ex, asio::cancellation_slot cancelled,
            std::function<void()> done) override {
    ask_late(ex, cancelled, std::move(done), newest_, with_.to.jobs, in_its_time, atom::wait_v,
             event_wait{at_.job_id, at_.after, wait_});
  }

  asio::awaitable<bool> make(response& res) override {
    value_of(newest_);
    const auto page = co_await read_page(with_, at_, limit_);
    res = as_page(at_, page);
    co_return true;
  }

private:
  const context& with_;
  const place at_;
  const std::int64_t limit_;
  const std::chrono::seconds wait_;
  caf::expected<std::int64_t> newest_{caf::error{}};
};

struct sent_page {
  bool any = false, over = false;
};

/// The next events, if there are any, and moves on.
asio::awaitable<sent_page> send_page(const context& with, place& at, body_sink& sink) {
  const auto page = co_await read_page(with, at, page_size);
  std::string text;
  for (const auto& e : page.items)
    text += server_sent(at.of(e), e.type, boost::json::serialize(to_json(e)));
  co_await sink.write(text);
  if (!page.items.empty())
    at.after = at.of(page.items.back());
  co_return sent_page{!page.items.empty(), page.over};
}

/// For when it is known that something happened, but cannot be read yet: the disk is full, say.
asio::awaitable<void> a_second() {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer pause{executor, 1s};
  co_await pause.async_wait(asio::use_awaitable);
}

asio::awaitable<void> send_events(const context& with, place at, body_sink& sink) {
  co_await sink.write(server_sent_start(std::max<std::int64_t>(at.after, 0)));
  for (bool expected = false;;) {
    const auto done = co_await send_page(with, at, sink);
    if (done.over)
      co_return;
    if (expected && !done.any)
      co_await a_second();
    const auto newest = co_await ask(with.to.jobs, in_its_time, atom::wait_v,
                                     event_wait{at.job_id, at.after, server_sent_pause});
    expected = newest > at.after;
    if (!expected)
      co_await sink.write(server_sent_heartbeat);
  }
}

response as_stream(const context& with, place at) {
  auto res = event_stream([&with, at](body_sink& sink) { return send_events(with, at, sink); });
  res.message.set(beast::field::vary, "Accept");
  return res;
}

asio::awaitable<response> serve(exchange& x, std::int64_t job_id) {
  x.query.allow({"after", "wait", "limit"});
  const auto limit = x.query.integer_or("limit", page_size, 1, 1000);
  const std::chrono::seconds wait{x.query.integer_or("wait", 0, 0, longest_wait)};
  const auto from = event_cursor(x);
  const bool stream = wants_stream(x);
  // Of all jobs a reader without a cursor hears what is new; of one job, everything.
  place at{job_id, from.value_or(job_id == 0 ? std::numeric_limits<std::int64_t>::max() : -1)};
  const auto page = co_await read_page(x.with, at, stream ? 1 : limit);
  if (job_id == 0)
    at.after = std::min(at.after, page.newest); // a cursor of a database that is gone starts anew
  if (stream && from && page.over && page.items.empty())
    co_return no_more_events();
  if (stream)
    co_return as_stream(x.with, at);
  if (!page.items.empty() || page.over || wait == 0s)
    co_return as_page(at, page);
  response res;
  res.later = std::make_unique<late_page>(x.with, at, limit, wait);
  co_return res;
}

} // namespace

// GET /events
asio::awaitable<response> get_events(exchange& x) {
  auto res = co_await serve(x, 0);
  co_return res;
}

// GET /jobs/{id}/events
asio::awaitable<response> get_job_events(exchange& x) {
  auto res = co_await serve(x, job_id(x.args.at(0)));
  co_return res;
}

} // namespace jobrunner::http
