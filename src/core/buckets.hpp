// The buckets that the operator set, each with its own keys: read once at start.
#pragma once

#include "core/secret.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner {

struct bucket {
  std::string name;     // as clients call it
  std::string remote;   // as its service does
  std::string endpoint; // "https://s3.example.org[:port]"; buckets are the first part of the path
  std::string region;
  std::string key_id; // empty: read without keys
  secret app_key;
};

/// `endpoint` as buckets have it: https:// unless it says otherwise, no slash at its end.
std::string tidy_endpoint(std::string_view endpoint);

/// What signatures for that endpoint name when nobody says: the part of B2's and AWS's host names
/// that is one ("s3.<region>.backblazeb2.com"), otherwise us-east-1.
std::string region_of(std::string_view endpoint);

/// JR_S3_BUCKETS_FILE: {"buckets": [{"name", "endpoint", "key_id", "app_key", "region"?,
/// "bucket"?}]}, a file that nobody else may read. Throws failure{invalid} that says what is wrong
/// without quoting from it.
std::vector<bucket> read_buckets(const std::filesystem::path& file);

/// The same of the file's text; apart for tests.
std::vector<bucket> parse_buckets(std::string_view json);

} // namespace jobrunner
