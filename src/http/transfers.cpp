#include "http/transfers.hpp"

#include "actors/ask.hpp"
#include "core/text.hpp"
#include "http/late_ask.hpp"
#include "http/problem.hpp"
#include "http/render.hpp"
#include "http/text/limits.hpp"

#include <limits>

namespace jobrunner::http {

using namespace std::chrono_literals;

namespace {

using boost::json::value;

value text_or_null(const std::string& text) {
  return text.empty() ? value(nullptr) : value(text);
}

value number(const std::optional<std::int64_t>& n) {
  return n ? value(*n) : value(nullptr);
}

/// Why it failed, as a problem (RFC 9457) would say it.
value error_of(const transfer& t) {
  if (t.error_code.empty())
    return nullptr;
  return {{"status", status_of(errc_named(t.error_code))}, {"detail", t.error}};
}

value dataset_of(const transfer& t, const dataset_board& known) {
  if (t.dataset_sha.empty())
    return nullptr;
  if (const auto found = known.find(t.dataset_sha))
    return to_json(*found);
  return {{"sha256", t.dataset_sha}}; // deleted since
}

failure unknown(direction way, const std::string& id) {
  return {errc::not_found, std::string{"no "} + (way == direction::import ? "import" : "export") +
                               " has the id " + shown(id)};
}

response answer(const context& with, const transfer& t) {
  auto res = json(beast::status::ok, to_json(t, with.published.datasets));
  res.message.set(beast::field::cache_control, "no-cache");
  return res;
}

class late_transfer final : public late_answer {
public:
  late_transfer(const context& with, transfer_wait w) : with_(with), wait_(std::move(w)) {}

  void wait(const asio::any_io_executor& ex, asio::cancellation_slot cancelled,
            std::function<void()> done) override {
    ask_late(ex, cancelled, std::move(done), found_, with_.to.importer, wait_.patience + 10s,
             atom::wait_v, wait_);
  }

  asio::awaitable<bool> make(response& res) override {
    res = answer(with_, value_of(std::move(found_)));
    co_return true;
  }

private:
  const context& with_;
  const transfer_wait wait_;
  caf::expected<transfer> found_{caf::error{}};
};

} // namespace

asio::awaitable<transfer> find_transfer(const exchange& x, direction way) {
  auto found = co_await ask(x.with.to.importer, 10s, atom::get_v, x.args.at(0));
  if (found.way != way)
    throw unknown(way, x.args.at(0));
  co_return found;
}

boost::json::object to_json(const transfer& t, const dataset_board& known) {
  boost::json::object o{{"id", t.id},
                        {"state", t.state},
                        {"done", t.done},
                        {"seq", t.seq},
                        {"bucket", t.bucket},
                        {"bytes_done", t.bytes_done},
                        {"bytes_total", number(t.bytes_total)},
                        {"files_done", t.files_done},
                        {"files_total", number(t.files_total)},
                        {"error", error_of(t)},
                        {"created_at", to_rfc3339(t.created_at)},
                        {"started_at", moment(t.started_at)},
                        {"ended_at", moment(t.ended_at)}};
  if (t.way == direction::out) {
    o["job_id"] = t.job_id;
    o["prefix"] = t.prefix;
    return o;
  }
  o["endpoint"] = text_or_null(t.endpoint);
  o["key"] = text_or_null(t.key);
  o["prefix"] = text_or_null(t.prefix);
  o["dataset"] = dataset_of(t, known);
  return o;
}

asio::awaitable<response> take_on(exchange& x, transfer wanted) {
  const auto made = co_await ask(x.with.to.importer, 30s, atom::submit_v, std::move(wanted));
  auto res = json(beast::status::accepted, to_json(made, x.with.published.datasets));
  res.message.set(beast::field::location,
                  (made.way == direction::import ? "/imports/" : "/exports/") + made.id);
  co_return res;
}

asio::awaitable<response> show(exchange& x, direction way) {
  x.query.allow({"wait", "since"});
  transfer_wait w;
  w.id = x.args.at(0);
  w.patience = std::chrono::seconds{x.query.integer_or("wait", 0, 0, longest_wait)};
  if (x.query.has("since"))
    w.since_seq = x.query.integer("since", 0, std::numeric_limits<std::int64_t>::max());
  const auto found = co_await find_transfer(x, way);
  auto res = answer(x.with, found);
  if (w.patience > 0s && !found.done)
    res.later = std::make_unique<late_transfer>(x.with, std::move(w));
  co_return res;
}

asio::awaitable<response> list(exchange& x, direction way) {
  x.query.allow({"limit", "cursor"});
  transfer_query q;
  q.way = way;
  q.limit = x.query.integer_or("limit", 100, 1, 1000);
  q.cursor = x.query.integer_or("cursor", 0, 1, std::numeric_limits<std::int64_t>::max());
  const auto page = co_await ask(x.with.to.importer, 30s, atom::list_v, q);
  boost::json::array items;
  for (const auto& t : page.items)
    items.emplace_back(to_json(t, x.with.published.datasets));
  co_return json(
      beast::status::ok,
      {{way == direction::import ? "imports" : "exports", std::move(items)},
       {"next_cursor", page.next_cursor > 0 ? value(std::to_string(page.next_cursor)) : nullptr}});
}

asio::awaitable<response> cancel(exchange& x, direction way) {
  x.query.allow({});
  const auto found = co_await find_transfer(x, way);
  const auto now = co_await ask(x.with.to.importer, 30s, atom::cancel_v, found.id);
  co_return json(beast::status::ok, to_json(now, x.with.published.datasets));
}

} // namespace jobrunner::http
