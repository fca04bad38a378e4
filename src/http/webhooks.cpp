// What receivers of webhooks need.
#include "actors/ask.hpp"
#include "http/handlers.hpp"

namespace jobrunner::http {

using namespace std::chrono_literals;

// GET /webhooks/secret
asio::awaitable<response> get_webhook_secret(exchange& x) {
  x.query.allow({});
  const auto secret = co_await ask(x.with.to.webhooks, 10s, atom::get_v);
  auto res = json(beast::status::ok, {{"secret", secret}});
  res.message.set(beast::field::cache_control, "no-store");
  co_return res;
}

} // namespace jobrunner::http
