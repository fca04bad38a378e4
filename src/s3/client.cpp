#include "s3/client.hpp"

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <ctime>

namespace jobrunner::s3 {

namespace {

constexpr std::uint64_t largest_list = 16U << 20U, largest_answer = 1U << 20U;
constexpr std::chrono::minutes longest_request{10}; // for one piece, part or list

/// "20130524T000000Z"
std::string amz_time() {
  const auto now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::string text(17, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc));
  return text;
}

/// Host: with the port where it is not the scheme's own.
std::string host_of(const curl::target& to) {
  const bool usual = to.port == (to.scheme == "https" ? 443 : 80);
  return to.host + (usual ? "" : ":" + std::to_string(to.port));
}

std::string escaped(std::string_view text) {
  std::string made;
  for (const char c : text)
    if (c == '&' || c == '<' || c == '>' || c == '"')
      made += "&#" + std::to_string(static_cast<int>(c)) + ";";
    else
      made += c;
  return made;
}

} // namespace

client::client(const place& at, std::stop_token stop)
    : at_(at),
      curl_(at.guard, std::move(stop)),
      host_(host_of(curl::check_url(at.where.endpoint, at.guard))) {}

curl::response client::send(const call& c, std::uint64_t most_bytes) {
  const auto& to = at_.where;
  signable what{c.method, "/" + uri_encode(to.remote), c.query, c.headers, sha256_of(c.body)};
  if (!c.key.empty())
    what.path += "/" + uri_encode(c.key, true);
  const auto time = amz_time();
  what.headers.emplace_back("x-amz-content-sha256", what.payload_sha256);
  what.headers.emplace_back("x-amz-date", time);
  what.headers.emplace_back("Host", host_);
  curl::request asked;
  asked.method = c.method;
  asked.url = to.endpoint + what.path;
  if (!c.query.empty())
    asked.url += "?" + query_string(c.query);
  for (const auto& [name, value] : what.headers)
    asked.headers.emplace_back(name).append(": ").append(value);
  if (!to.key_id.empty())
    asked.headers.push_back("Authorization: " +
                            authorization(what, {to.key_id, to.app_key, to.region}, time));
  asked.body = c.body;
  return curl_.perform(asked, {std::chrono::seconds{15}, longest_request, at_.stall, most_bytes});
}

object client::head(const std::string& key) {
  const auto answer = send({"HEAD", key}, largest_answer);
  if (answer.status == 404)
    throw failure(errc::not_found, "bucket " + at_.where.name + " has no object " + shown(key));
  if (answer.status != 200)
    refuse(answer, "look at " + shown(key));
  return parse_head(key, answer);
}

listing client::list(const std::string& prefix, const std::string& token) {
  pairs query{{"list-type", "2"}, {"max-keys", "1000"}, {"prefix", prefix}};
  if (!token.empty())
    query.emplace_back("continuation-token", token);
  const auto answer = send({"GET", "", query}, largest_list);
  if (answer.status != 200)
    refuse(answer, "list " + shown(prefix));
  return parse_listing(answer.body);
}

std::string client::get(const object& what, std::uint64_t offset, std::size_t size) {
  const auto range = "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + size - 1);
  pairs headers{{"Range", range}};
  if (!what.etag.empty())
    headers.emplace_back("If-Match", what.etag);
  auto answer = send({"GET", what.key, {}, headers}, size);
  const bool whole = answer.status == 200 && offset == 0 && size == what.size;
  if (answer.status != 206 && !whole) {
    if (answer.status == 404)
      throw failure(errc::conflict, "the object " + shown(what.key) + " is gone");
    if (answer.status == 200)
      throw failure(errc::invalid, "the service does not send parts of objects");
    refuse(answer, "read " + shown(what.key));
  }
  if (answer.header("etag") != what.etag && !what.etag.empty())
    throw failure(errc::conflict, "the object " + shown(what.key) + " has changed");
  const auto expected = "bytes " + std::to_string(offset) + "-" +
                        std::to_string(offset + size - 1) + "/" + std::to_string(what.size);
  if (answer.body.size() != size || (!whole && answer.header("content-range") != expected))
    throw failure(errc::unavailable, "the service sends another part of " + shown(what.key) +
                                         " than it was asked for");
  return std::move(answer.body);
}

std::string client::send_bytes(const call& c) {
  const auto md5 = md5_of(c.body);
  auto checked = c;
  checked.headers.emplace_back("Content-MD5", base64(md5));
  const auto answer = send(checked, largest_answer);
  if (answer.status != 200)
    refuse(answer, "write " + shown(c.key));
  auto etag = answer.header("etag");
  const auto theirs = md5_of_etag(etag);
  if (etag.empty() || (!theirs.empty() && theirs != to_hex(md5)))
    throw failure(errc::unavailable, "the service has other bytes than were sent for " +
                                         shown(c.key) + ": its ETag is " + shown(etag));
  return etag;
}

std::string client::put(const std::string& key, std::string_view bytes) {
  return send_bytes({"PUT", key, {}, {{"Content-Type", "application/octet-stream"}}, bytes});
}

std::string client::begin_upload(const std::string& key) {
  const auto answer =
      send({"POST", key, {{"uploads", ""}}, {{"Content-Type", "application/octet-stream"}}},
           largest_answer);
  if (answer.status != 200)
    refuse(answer, "begin an upload of " + shown(key));
  return parse_upload_id(answer.body);
}

std::string client::put_part(const std::string& key, const std::string& id, unsigned number,
                             std::string_view bytes) {
  return send_bytes(
      {"PUT", key, {{"partNumber", std::to_string(number)}, {"uploadId", id}}, {}, bytes});
}

std::string client::complete(const std::string& key, const std::string& id,
                             const std::vector<std::string>& etags) {
  std::string body = "<CompleteMultipartUpload>";
  for (std::size_t i = 0; i < etags.size(); ++i)
    body += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" +
            escaped(etags[i]) + "</ETag></Part>";
  body += "</CompleteMultipartUpload>";
  const auto answer =
      send({"POST", key, {{"uploadId", id}}, {{"Content-Type", "application/xml"}}, body},
           largest_answer);
  if (answer.status != 200)
    refuse(answer, "complete the upload of " + shown(key));
  return parse_completed(answer.body);
}

void client::abort(const std::string& key, const std::string& id) {
  const auto answer = send({"DELETE", key, {{"uploadId", id}}}, largest_answer);
  if (answer.status / 100 != 2)
    refuse(answer, "abort the upload of " + shown(key));
}

std::vector<open_upload> client::open_uploads(const std::string& key) {
  const auto answer = send({"GET", "", {{"prefix", key}, {"uploads", ""}}}, largest_list);
  if (answer.status != 200)
    refuse(answer, "list the uploads of " + shown(key));
  auto all = parse_uploads(answer.body);
  std::erase_if(all, [&](const open_upload& u) { return u.key != key; });
  return all;
}

} // namespace jobrunner::s3
