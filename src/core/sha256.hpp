// SHA-256 of a stream, by OpenSSL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace jobrunner {

class sha256 {
public:
  sha256();
  sha256(const sha256& other); // goes on from where the other is
  sha256& operator=(const sha256& other);
  ~sha256();
  void update(const void* data, std::size_t size);
  std::string finish(); // 64 lower-case hexadecimal digits; call once

private:
  struct release {
    void operator()(evp_md_ctx_st* p) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, release> context_;
};

/// Of the first `at` bytes of something that is still to come.
struct running_hash {
  sha256 hash;
  std::uint64_t at = 0;
};

std::string sha256_of(std::string_view text);

} // namespace jobrunner
