#include "s3/sign.hpp"

#include "core/digest.hpp"
#include "core/hex.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace jobrunner::s3 {

namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

/// Without blanks around it, and one where there are several.
std::string trimmed(std::string_view text) {
  std::string made;
  for (const char c : text)
    if (c != ' ' || (!made.empty() && made.back() != ' '))
      made += c;
  if (made.ends_with(' '))
    made.pop_back();
  return made;
}

pairs canonical_headers(const signable& what) {
  pairs all;
  for (const auto& [name, value] : what.headers)
    all.emplace_back(lower_ascii(name), trimmed(value));
  std::ranges::stable_sort(all, {}, &pairs::value_type::first);
  return all;
}

std::string names(const pairs& headers) {
  std::string all;
  for (const auto& [name, value] : headers)
    all += (all.empty() ? "" : ";") + name;
  return all;
}

} // namespace

std::string uri_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string made;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~' || (keep_slash && c == '/');
    if (plain)
      made += c;
    else
      made += {'%', digits[byte >> 4U], digits[byte & 15U]};
  }
  return made;
}

std::string query_string(const pairs& query) {
  pairs encoded;
  for (const auto& [name, value] : query)
    encoded.emplace_back(uri_encode(name), uri_encode(value));
  std::ranges::sort(encoded);
  std::string all;
  for (const auto& [name, value] : encoded) {
    all += all.empty() ? "" : "&";
    all.append(name).append("=").append(value);
  }
  return all;
}

std::string canonical_request(const signable& what) {
  const auto headers = canonical_headers(what);
  std::string text = what.method + "\n" + what.path + "\n" + query_string(what.query) + "\n";
  for (const auto& [name, value] : headers)
    text.append(name).append(":").append(value).append("\n");
  return text + "\n" + names(headers) + "\n" + what.payload_sha256;
}

std::string authorization(const signable& what, const credentials& who, std::string_view time) {
  const std::string day{time.substr(0, 8)};
  const auto scope = day + "/" + who.region + "/" + who.service + "/aws4_request";
  const auto to_sign = std::string{algorithm} + "\n" + std::string{time} + "\n" + scope + "\n" +
                       sha256_of(canonical_request(what));
  auto key = hmac_sha256("AWS4" + who.key.reveal(), day);
  for (const auto& part : {who.region, who.service, std::string{"aws4_request"}})
    key = hmac_sha256(key, part);
  return std::string{algorithm} + " Credential=" + who.key_id + "/" + scope +
         ",SignedHeaders=" + names(canonical_headers(what)) +
         ",Signature=" + to_hex(hmac_sha256(key, to_sign));
}

} // namespace jobrunner::s3
