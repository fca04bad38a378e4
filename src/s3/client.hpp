// The calls of S3 that transfers need, one attempt each: retry() around them is the caller's.
#pragma once

#include "core/address_guard.hpp"
#include "core/buckets.hpp"
#include "core/curl.hpp"
#include "s3/answers.hpp"
#include "s3/sign.hpp"

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::s3 {

/// A bucket, and how to speak to it.
struct place {
  bucket where;
  const address_guard& guard;
  std::chrono::seconds stall{30};
};

/// Everything throws failure as curl::client and refuse() do. For one thread at a time.
class client {
public:
  /// Throws failure{invalid} for an endpoint that check_url() refuses.
  explicit client(const place& at, std::stop_token stop = {});

  object head(const std::string& key);
  listing list(const std::string& prefix, const std::string& token);

  /// Bytes of an object as it was when `what` was told: conflict if it has changed.
  std::string get(const object& what, std::uint64_t offset, std::size_t size);

  /// Stores bytes under a key; the service checks their MD5 and SHA-256 against ours, and so does
  /// this its ETag. Returns the ETag.
  std::string put(const std::string& key, std::string_view bytes);

  std::string begin_upload(const std::string& key); // its id
  std::string put_part(const std::string& key, const std::string& id, unsigned number,
                       std::string_view bytes); // its ETag
  std::string complete(const std::string& key, const std::string& id,
                       const std::vector<std::string>& etags);
  void abort(const std::string& key, const std::string& id);

  /// Uploads of this one key that have not ended, of at most 1,000 keys that begin with it.
  std::vector<open_upload> open_uploads(const std::string& key);

private:
  struct call {
    std::string method, key;
    pairs query{};
    pairs headers{};
    std::string_view body{};
  };
  curl::response send(const call&, std::uint64_t most_bytes);
  std::string send_bytes(const call&);
  const place& at_;
  curl::client curl_;
  std::string host_;
};

} // namespace jobrunner::s3
