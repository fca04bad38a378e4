// What HTTP services want hashed besides SHA-256: HMAC, MD5 as a checksum, base64. By OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace jobrunner {

std::string hmac_sha256(std::string_view key, std::string_view text); // 32 raw bytes

std::string base64(std::string_view bytes); // RFC 4648, section 4, with padding
std::optional<std::string> base64_decode(std::string_view text); // nothing: it is no such text

/// MD5 of a stream: no security, but what object stores tell of the bytes they hold.
class md5 {
public:
  md5();
  void update(std::string_view bytes);
  std::string finish(); // 16 raw bytes; call once

private:
  struct release {
    void operator()(evp_md_ctx_st* p) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, release> context_;
};

std::string md5_of(std::string_view bytes);

} // namespace jobrunner
