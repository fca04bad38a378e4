// Datasets but for their upload, which has a file of its own.
#include "actors/ask.hpp"
#include "core/hex.hpp"
#include "http/handlers.hpp"
#include "http/lookup.hpp"
#include "http/render.hpp"
#include "http/text/ascii.hpp"

#include <boost/json/serialize.hpp>

#include <limits>

namespace jobrunner::http {

using namespace std::chrono_literals;

// GET /datasets/exists/{sha256}: the one answer with a blank after its first colons, which clients
// of the seed grep for.
asio::awaitable<response> dataset_exists(exchange& x) {
  const auto found = x.with.published.datasets.use(lower(x.args.at(0)));
  std::string body = R"({"exists": false})";
  if (found) {
    const auto info = to_json(*found);
    body = R"({"exists": true, "info": {)";
    const char* comma = "";
    for (const auto& [key, value] : info) {
      body += comma + boost::json::serialize(boost::json::string{key}) + ": " +
              boost::json::serialize(value);
      comma = ", ";
    }
    body += "}}";
  }
  co_return text(beast::status::ok, "application/json", std::move(body));
}

// POST /datasets/import_path
asio::awaitable<response> import_path(exchange& x) {
  x.form.allow({"src_path"});
  const auto made = co_await ask(x.with.to.importer, 6h, atom::import_v, x.form.text("src_path"));
  co_return json(beast::status::ok,
                 {{"sha256", made.sha256}, {"stored_path", made.rel_path}, {"bytes", made.bytes}});
}

// POST /datasets/from_job
asio::awaitable<response> adopt_outputs(exchange& x) {
  x.form.allow({"job_id", "prefix"});
  const auto id = x.form.integer("job_id", 1, std::numeric_limits<std::int64_t>::max());
  const auto known = co_await find_job(x.with, id);
  const job& j = *known;
  if (!j.done)
    throw failure(errc::conflict, "job " + std::to_string(id) + " is still " + j.state +
                                      "; its files become a dataset when it has ended");
  const auto made =
      co_await ask(x.with.to.adopter, 6h, atom::import_v, j, x.form.text_or("prefix", ""));
  co_return json(beast::status::ok,
                 {{"sha256", made.sha256}, {"stored_path", made.rel_path}, {"bytes", made.bytes}});
}

} // namespace jobrunner::http
