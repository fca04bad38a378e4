// Resumable uploads: tus 1.0 with creation, creation-with-upload, checksum, expiration, termination
// and concatenation (https://tus.io/protocols/resumable-upload). GET /uploads/{id} is ours.
#include "actors/ask.hpp"
#include "core/hex.hpp"
#include "core/text.hpp"
#include "http/handlers.hpp"
#include "http/problem.hpp"
#include "http/routes.hpp"
#include "http/text/ascii.hpp"
#include "http/text/safe_name.hpp"
#include "http/text/tus_headers.hpp"
#include "http/tus_receive.hpp"

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;

constexpr const char* version = "1.0.0";
constexpr const char* body_type = "application/offset+octet-stream";
constexpr auto finish_patience = 10s; // for a dataset to be made, before the client is told to ask

std::string_view header(const exchange& x, const char* name) {
  const auto value = x.headers[name];
  return {value.data(), value.size()};
}

enum class must_say { no, yes };

/// Nothing if the client speaks our version.
std::optional<response> refuse_version(const exchange& x, must_say needed) {
  const auto spoken = header(x, "Tus-Resumable");
  if (spoken == version || (spoken.empty() && needed == must_say::no))
    return std::nullopt;
  auto res = problem(412, "Tus-Resumable is " + shown(spoken) + ", but must be 1.0.0");
  res.message.set("Tus-Version", version);
  return res;
}

asio::awaitable<response> as_tus(exchange& x, must_say needed, handler handle) {
  response res;
  auto refused = refuse_version(x, needed);
  if (refused) {
    res = std::move(*refused);
  } else {
    try {
      res = co_await handle(x);
    } catch (const failure& f) {
      res = problem(f);
    }
  }
  res.message.set("Tus-Resumable", version);
  co_return res;
}

void check_type(const exchange& x) {
  const auto type = header(x, "Content-Type");
  if (lower(trimmed(type)) != body_type)
    throw failure(errc::unsupported,
                  "Content-Type is " + shown(type) + ", but must be " + body_type);
}

std::string checksum_of(const exchange& x) {
  const auto sent = header(x, "Upload-Checksum");
  return sent.empty() ? "" : tus_checksum(sent);
}

void describe_file(const exchange& x, upload& u) {
  u.metadata = header(x, "Upload-Metadata");
  auto told = tus_metadata(u.metadata);
  const auto name = told.contains("filename") ? told["filename"] : told["name"];
  u.filename = safe_name(name.empty() ? "data" : name);
  if (told.contains("extract"))
    u.extract = fields::from_pairs({{"extract", told["extract"]}}).boolean_or("extract", true);
  u.sha256 = lower(told["sha256"]);
  if (!u.sha256.empty() && !is_sha256(u.sha256))
    throw failure(errc::invalid, "sha256 in Upload-Metadata is " + shown(u.sha256) +
                                     ", but must be 64 hexadecimal digits");
}

upload parse_creation(const exchange& x) {
  upload u;
  describe_file(x, u);
  if (const auto concat = header(x, "Upload-Concat"); !concat.empty()) {
    auto c = tus_concatenation(concat);
    u.partial = c.partial;
    u.parts = std::move(c.parts);
  }
  const auto length = header(x, "Upload-Length");
  if (!u.parts.empty()) {
    if (!length.empty())
      throw failure(errc::invalid, "Upload-Length must not be given for a final upload: it is "
                                   "the sum of its parts");
    return u;
  }
  if (length.empty())
    throw failure(errc::invalid, "Upload-Length is missing: the size of the file must be known "
                                 "when its upload begins");
  u.length = tus_bytes("Upload-Length", length);
  if (u.length > x.with.settings.max_upload_bytes)
    throw failure(errc::too_large, "Upload-Length is " + std::to_string(u.length) +
                                       "; JR_MAX_UPLOAD_BYTES allows " +
                                       std::to_string(x.with.settings.max_upload_bytes));
  return u;
}

void set_headers(response& res, const upload& u) {
  auto& m = res.message;
  m.set("Upload-Offset", std::to_string(u.offset));
  if (u.state == "receiving" || u.state == "complete")
    m.set("Upload-Expires", to_http_date(std::chrono::floor<std::chrono::seconds>(u.expires_at)));
  if (!u.dataset_sha.empty())
    m.set("Upload-Dataset", "/datasets/" + u.dataset_sha);
}

response empty(beast::status status, const upload& u) {
  response res;
  res.message.result(status);
  if (status != beast::status::no_content)
    res.message.prepare_payload();
  set_headers(res, u);
  return res;
}

response mismatch() {
  auto res = problem(460, "the body does not have the digest that Upload-Checksum names; nothing "
                          "of it was kept");
  res.message.reason("Checksum Mismatch");
  return res;
}

/// The upload when it has become a dataset, or after a while as it is. Throws why it could not.
asio::awaitable<upload> finished(const context& with, upload u) {
  if (u.state == "processing")
    u = co_await ask(with.to.uploads, finish_patience + 5s, atom::wait_v, u.id,
                     std::chrono::milliseconds{finish_patience});
  if (u.state == "failed")
    throw failure(u.code, u.problem);
  co_return u;
}

asio::awaitable<response> create(exchange& x) {
  auto u = parse_creation(x);
  const auto checksum = checksum_of(x);
  const bool with_body = !header(x, "Content-Type").empty() && x.body.length().value_or(1) > 0;
  if (with_body || x.body.length().value_or(0) > 0)
    check_type(x);
  u = co_await ask(x.with.to.uploads, 30s, atom::begin_v, u);
  if (with_body && u.state == "receiving") {
    auto got = co_await append_body(x, u.id, 0, checksum);
    if (!got.checksum_matches)
      co_return mismatch();
    u = std::move(got.now);
  }
  u = co_await finished(x.with, u);
  auto res = empty(beast::status::created, u);
  res.message.set(beast::field::location, "/uploads/" + u.id);
  co_return res;
}

asio::awaitable<response> append(exchange& x) {
  check_type(x);
  const auto offset = tus_bytes("Upload-Offset", header(x, "Upload-Offset"));
  const auto checksum = checksum_of(x);
  auto got = co_await append_body(x, x.args.at(0), offset, checksum);
  if (!got.checksum_matches)
    co_return mismatch();
  const auto u = co_await finished(x.with, std::move(got.now));
  co_return empty(beast::status::no_content, u);
}

asio::awaitable<response> terminate(exchange& x) {
  co_await ask(x.with.to.uploads, 30s, atom::remove_v, x.args.at(0));
  response res;
  res.message.result(beast::status::no_content);
  co_return res;
}

std::string concatenation(const upload& u) {
  if (u.partial)
    return "partial";
  std::string all;
  for (const auto& part : u.parts)
    all += (all.empty() ? "final;/uploads/" : " /uploads/") + part;
  return all;
}

boost::json::value dataset_of(const context& with, const upload& u) {
  const auto made = with.published.datasets.find(u.dataset_sha);
  if (!made)
    return nullptr;
  return {{"sha256", made->sha256}, {"stored_path", made->rel_path}, {"bytes", made->bytes}};
}

asio::awaitable<response> show(exchange& x) {
  x.query.allow({"wait"});
  const std::chrono::seconds patience{x.query.integer_or("wait", 0, 0, 300)};
  const auto u = co_await ask(x.with.to.uploads, patience + 10s, atom::wait_v, x.args.at(0),
                              std::chrono::milliseconds{patience});
  auto res = json(
      beast::status::ok,
      {{"id", u.id},
       {"state", u.state},
       {"offset", u.offset},
       {"length", u.length},
       {"filename", u.filename},
       {"partial", u.partial},
       {"dataset", dataset_of(x.with, u)},
       {"problem", u.problem.empty() ? boost::json::value(nullptr) : boost::json::value(u.problem)},
       {"created_at", to_rfc3339(u.created_at)},
       {"expires_at", to_rfc3339(u.expires_at)}});
  set_headers(res, u);
  res.message.set("Upload-Length", std::to_string(u.length));
  res.message.set(beast::field::cache_control, "no-store");
  if (!u.metadata.empty())
    res.message.set("Upload-Metadata", u.metadata);
  if (u.partial || !u.parts.empty())
    res.message.set("Upload-Concat", concatenation(u));
  co_return res;
}

} // namespace

// OPTIONS /uploads
asio::awaitable<response> tus_options(exchange& x) {
  response res;
  res.message.result(beast::status::no_content);
  res.message.set("Tus-Resumable", version);
  res.message.set("Tus-Version", version);
  res.message.set("Tus-Extension", "creation,creation-with-upload,checksum,expiration,"
                                   "termination,concatenation");
  res.message.set("Tus-Checksum-Algorithm", "sha256");
  res.message.set("Tus-Max-Size", std::to_string(x.with.settings.max_upload_bytes));
  co_return res;
}

// POST /uploads
asio::awaitable<response> tus_create(exchange& x) {
  auto res = co_await as_tus(x, must_say::yes, create);
  co_return res;
}

// PATCH /uploads/{id}
asio::awaitable<response> tus_append(exchange& x) {
  auto res = co_await as_tus(x, must_say::yes, append);
  co_return res;
}

// DELETE /uploads/{id}
asio::awaitable<response> tus_terminate(exchange& x) {
  auto res = co_await as_tus(x, must_say::yes, terminate);
  co_return res;
}

// GET /uploads/{id}; HEAD is how tus asks where to go on.
asio::awaitable<response> tus_get(exchange& x) {
  auto res = co_await as_tus(x, must_say::no, show);
  co_return res;
}

} // namespace jobrunner::http
