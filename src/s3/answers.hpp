// What an S3 service says, read: lists, uploads, errors. Pure.
#pragma once

#include "core/curl.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::s3 {

struct object {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;       // with its quotes, as If-Match wants it
  bool encrypted = false; // in a way that makes the ETag no MD5; only HEAD tells
};

struct listing {
  std::vector<object> objects;
  std::string next; // continuation token; "" at the end
};

/// ListObjectsV2. Throws failure{unavailable} for what is none.
listing parse_listing(std::string_view xml);

/// UploadId of CreateMultipartUpload, ETag of CompleteMultipartUpload; the latter may be an error
/// in spite of its 200. Throws failure{unavailable}.
std::string parse_upload_id(std::string_view xml);
std::string parse_completed(std::string_view xml);

/// An upload in parts that was begun and has not ended.
struct open_upload {
  std::string key, id;
  timestamp initiated{}; // by the service's clock
};

/// ListMultipartUploads, its first page. Throws failure{unavailable} for what is none.
std::vector<open_upload> parse_uploads(std::string_view xml);

/// Content-Length and ETag of HEAD. Throws failure{unavailable} without the length.
object parse_head(const std::string& key, const curl::response&);

/// The MD5 of an object's bytes in hex if its ETag is that: 32 digits, and not encrypted in a way
/// that makes it something else. "" if not.
std::string md5_of_etag(const std::string& etag);

/// Throws the failure for an answer that is no 2xx: slow_down or unavailable for what may pass
/// (408, 429, 5xx), conflict (412, 416: the object has changed), not_found, forbidden, invalid.
/// Of the service's text only its error code is shown.
[[noreturn]] void refuse(const curl::response&, const std::string& doing);

} // namespace jobrunner::s3
