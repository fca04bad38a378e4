#include "core/digest.hpp"

#include "core/error.hpp"

#include <cstdint>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace jobrunner {

namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

} // namespace

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string made(32, '\0');
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
            bytes_of(made), &size) ||
      size != made.size())
    throw failure(errc::internal, "HMAC-SHA-256 is not to be had from OpenSSL");
  return made;
}

std::string base64(std::string_view bytes) {
  std::string made((bytes.size() + 2) / 3 * 4 + 1, '\0'); // and the NUL that OpenSSL appends
  const int size = EVP_EncodeBlock(bytes_of(made), bytes_of(bytes), static_cast<int>(bytes.size()));
  made.resize(static_cast<std::size_t>(size));
  return made;
}

std::optional<std::string> base64_decode(std::string_view text) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0)
    return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pad = i + padding >= text.size();
    const auto value = pad ? 0 : digits.find(text[i]);
    if (value == std::string_view::npos)
      return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    if (i % 4 == 3)
      for (const unsigned shift : {16U, 8U, 0U})
        bytes += static_cast<char>(bits >> shift & 0xffU);
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

void md5::release::operator()(evp_md_ctx_st* p) const noexcept {
  EVP_MD_CTX_free(p);
}

md5::md5() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) != 1)
    throw failure(errc::internal, "MD5 is not to be had from OpenSSL");
}

void md5::update(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string md5::finish() {
  std::string made(16, '\0');
  EVP_DigestFinal_ex(context_.get(), bytes_of(made), nullptr);
  return made;
}

std::string md5_of(std::string_view bytes) {
  md5 hash;
  hash.update(bytes);
  return hash.finish();
}

} // namespace jobrunner
