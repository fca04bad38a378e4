// Imports from buckets, straight through the S3 API.
#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/text.hpp"
#include "http/handlers.hpp"
#include "http/text/ascii.hpp"
#include "http/text/safe_name.hpp"
#include "http/transfers.hpp"

namespace jobrunner::http {

// POST /datasets/import
asio::awaitable<response> import_from_bucket(exchange& x) {
  x.form.allow({"bucket", "key", "prefix", "sha256", "extract", "filename", "endpoint"});
  transfer t;
  t.bucket = x.form.text_or("bucket", "");
  t.key = x.form.text_or("key", "");
  t.prefix = x.form.text_or("prefix", "");
  t.endpoint = x.form.text_or("endpoint", "");
  t.extract = x.form.boolean_or("extract", true);
  t.sha256 = lower(trimmed(x.form.text_or("sha256", "")));
  if (!t.sha256.empty() && !is_sha256(t.sha256))
    throw failure(errc::invalid,
                  "sha256 is " + shown(t.sha256) + ", but must be 64 hexadecimal digits");
  if (const auto name = x.form.text_or("filename", ""); !name.empty())
    t.filename = safe_name(name);
  auto res = co_await take_on(x, std::move(t));
  co_return res;
}

// GET /imports
asio::awaitable<response> list_imports(exchange& x) {
  return list(x, direction::import);
}

// GET /imports/{id}
asio::awaitable<response> get_import(exchange& x) {
  return show(x, direction::import);
}

// GET /imports/{id}/events
asio::awaitable<response> get_import_events(exchange& x) {
  return stream(x, direction::import);
}

// DELETE /imports/{id}
asio::awaitable<response> cancel_import(exchange& x) {
  return cancel(x, direction::import);
}

} // namespace jobrunner::http
