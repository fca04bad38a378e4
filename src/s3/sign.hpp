// AWS Signature Version 4: pure text in, the header Authorization out.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#pragma once

#include "core/secret.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobrunner::s3 {

using pairs = std::vector<std::pair<std::string, std::string>>;

/// A request as it will be sent. All of its headers given here are signed.
struct signable {
  std::string method;
  std::string path;           // encoded, as sent
  pairs query{};              // names and values, not encoded
  pairs headers{};            // Host and what else is to be signed
  std::string payload_sha256; // of the body, in hex, or UNSIGNED-PAYLOAD
};

struct credentials {
  std::string key_id;
  secret key;
  std::string region;
  std::string service = "s3";
};

std::string canonical_request(const signable&);

/// The value of the header Authorization. `time` is that of X-Amz-Date: "20130524T000000Z".
std::string authorization(const signable&, const credentials&, std::string_view time);

/// RFC 3986's unreserved characters as they are, all else as %XX; '/' too unless kept.
std::string uri_encode(std::string_view text, bool keep_slash = false);

/// Encoded and in the order that is signed; sent the same.
std::string query_string(const pairs&);

} // namespace jobrunner::s3
