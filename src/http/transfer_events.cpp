// How far an import or export is, as it happens: server-sent events. What a reader has missed is
// not told again: each event is the whole of it as it is then, so the newest one says everything.
#include "actors/ask.hpp"
#include "http/event_stream.hpp"
#include "http/text/server_sent.hpp"
#include "http/transfers.hpp"

#include <boost/json/serialize.hpp>

namespace jobrunner::http {

namespace {

asio::awaitable<void> send_changes(const context& with, transfer now,
                                   std::optional<std::int64_t> seen, body_sink& sink) {
  co_await sink.write(server_sent_start(seen.value_or(0)));
  for (;;) {
    if (seen != now.seq) {
      const auto data = boost::json::serialize(to_json(now, with.published.datasets));
      co_await sink.write(server_sent(now.seq, now.done ? "end" : "progress", data));
      seen = now.seq;
    } else if (!now.done) {
      co_await sink.write(server_sent_heartbeat);
    }
    if (now.done)
      co_return;
    const transfer_wait change{now.id, now.seq, heartbeat};
    now = co_await ask(with.to.importer, in_its_time, atom::wait_v, change);
  }
}

response as_stream(const context& with, const transfer& found, std::optional<std::int64_t> seen) {
  return event_stream(
      [&with, found, seen](body_sink& sink) { return send_changes(with, found, seen, sink); });
}

} // namespace

asio::awaitable<response> stream(exchange& x, direction way) {
  x.query.allow({"after"});
  const auto seen = event_cursor(x);
  const auto found = co_await find_transfer(x, way);
  if (found.done && seen == found.seq)
    co_return no_more_events();
  co_return as_stream(x.with, found, seen);
}

} // namespace jobrunner::http
