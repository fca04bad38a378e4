#include "http/event_stream.hpp"

#include "http/text/cursor.hpp"

namespace jobrunner::http {

std::optional<std::int64_t> event_cursor(const exchange& x) {
  if (x.headers.count("Last-Event-ID") > 0) {
    const auto id = x.headers["Last-Event-ID"];
    return cursor("Last-Event-ID", {id.data(), id.size()});
  }
  if (x.query.has("after"))
    return cursor("after", x.query.text("after"));
  return std::nullopt;
}

response event_stream(body_source events) {
  response res;
  auto& m = res.message;
  m.set(beast::field::content_type, "text/event-stream");
  m.set(beast::field::cache_control, "no-store");
  m.set("X-Accel-Buffering", "no"); // nginx passes on at once
  res.rest = std::move(events);
  return res;
}

response no_more_events() {
  response res;
  res.message.result(beast::status::no_content);
  return res;
}

} // namespace jobrunner::http
