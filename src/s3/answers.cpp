#include "s3/answers.hpp"

#include "core/error.hpp"
#include "core/xml.hpp"
#include "s3/retry.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace jobrunner::s3 {

namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  return ec == std::errc{} && end == text.data() + text.size() && !text.empty() ? std::optional{n}
                                                                                : std::nullopt;
}

failure nonsense(const char* what) {
  return {errc::unavailable, std::string{"the service answers with no "} + what};
}

/// The service's name for an error, such as NoSuchKey; "" if the text is none.
std::string error_code(std::string_view xml) {
  try {
    const auto root = parse_xml(xml);
    const auto code = root.child("Code");
    const bool word = std::ranges::all_of(
        code, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    return root.name == "Error" && word && code.size() <= 64 ? std::string{code} : "";
  } catch (const failure&) {
    return {};
  }
}

} // namespace

listing parse_listing(std::string_view xml) {
  const auto root = parse_xml(xml);
  if (root.name != "ListBucketResult")
    throw nonsense("list");
  listing all;
  for (const auto& c : root.children) {
    if (c.name != "Contents")
      continue;
    const auto size = number(c.child("Size"));
    if (!size)
      throw nonsense("list: an object has no size");
    all.objects.push_back(
        {std::string{c.child("Key")}, *size, std::string{c.child("ETag")}, false});
  }
  if (root.child("IsTruncated") == "true") {
    all.next = root.child("NextContinuationToken");
    if (all.next.empty())
      throw nonsense("list: it goes on, but does not say where");
  }
  return all;
}

std::string parse_upload_id(std::string_view xml) {
  const auto root = parse_xml(xml);
  std::string id{root.child("UploadId")};
  if (root.name != "InitiateMultipartUploadResult" || id.empty())
    throw nonsense("upload id");
  return id;
}

std::string parse_completed(std::string_view xml) {
  const auto root = parse_xml(xml);
  if (root.name != "CompleteMultipartUploadResult")
    throw failure(errc::unavailable,
                  "the service could not complete the upload " + error_code(xml));
  return std::string{root.child("ETag")};
}

std::vector<open_upload> parse_uploads(std::string_view xml) {
  const auto root = parse_xml(xml);
  if (root.name != "ListMultipartUploadsResult")
    throw nonsense("list of uploads");
  std::vector<open_upload> all;
  for (const auto& c : root.children) {
    if (c.name != "Upload")
      continue;
    const auto initiated = from_rfc3339(c.child("Initiated"));
    if (!initiated || c.child("UploadId").empty())
      throw nonsense("list of uploads: one has no id or no time");
    all.push_back({std::string{c.child("Key")}, std::string{c.child("UploadId")}, *initiated});
  }
  return all;
}

object parse_head(const std::string& key, const curl::response& answer) {
  const auto size = number(answer.header("content-length"));
  if (!size)
    throw nonsense("length of the object");
  const bool encrypted = answer.header("x-amz-server-side-encryption").starts_with("aws:kms") ||
                         !answer.header("x-amz-server-side-encryption-customer-algorithm").empty();
  return {key, *size, answer.header("etag"), encrypted};
}

std::string md5_of_etag(const std::string& etag) {
  auto text = etag;
  std::erase(text, '"');
  const bool hex = std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return hex && text.size() == 32 ? text : "";
}

void refuse(const curl::response& answer, const std::string& doing) {
  const auto code = error_code(answer.body);
  const auto what = doing + ": the service answers " + std::to_string(answer.status) +
                    (code.empty() ? "" : " " + code);
  if (answer.status >= 500 || answer.status == 429 || answer.status == 408 ||
      code == "RequestTimeout") {
    const auto pause = number(answer.header("retry-after")).value_or(0);
    throw slow_down(what, std::chrono::seconds{std::min<std::uint64_t>(pause, 60)});
  }
  if (answer.status == 412 || answer.status == 416)
    throw failure(errc::conflict, what + ": the object has changed");
  if (answer.status == 404)
    throw failure(errc::not_found, what);
  if (answer.status == 401 || answer.status == 403)
    throw failure(errc::forbidden, what + ": it does not take our keys for this");
  throw failure(errc::invalid, what);
}

} // namespace jobrunner::s3
