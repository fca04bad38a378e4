#include "core/sha256.hpp"

#include "core/error.hpp"
#include "core/hex.hpp"

#include <array>
#include <openssl/evp.h>

namespace jobrunner {

void sha256::release::operator()(evp_md_ctx_st* p) const noexcept {
  EVP_MD_CTX_free(p);
}

sha256::sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
    throw failure(errc::internal, "SHA-256 is not to be had from OpenSSL");
}

sha256::sha256(const sha256& other) : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_MD_CTX_copy_ex(context_.get(), other.context_.get()) != 1)
    throw failure(errc::internal, "a SHA-256 cannot be copied");
}

sha256& sha256::operator=(const sha256& other) {
  if (this != &other)
    context_ = std::move(sha256{other}.context_);
  return *this;
}

sha256::~sha256() = default;

void sha256::update(const void* data, std::size_t size) {
  EVP_DigestUpdate(context_.get(), data, size);
}

std::string sha256::finish() {
  std::array<unsigned char, 32> digest{};
  EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
  return to_hex(digest);
}

std::string sha256_of(std::string_view text) {
  sha256 hash;
  hash.update(text.data(), text.size());
  return hash.finish();
}

} // namespace jobrunner
