#include "http/text/tus_headers.hpp"

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/text.hpp"
#include "http/text/ascii.hpp"

#include <charconv>
#include <span>

namespace jobrunner::http {

namespace {

constexpr std::size_t most_parts = 1000;

failure wrong(std::string_view name, std::string_view value, const std::string& right) {
  return {errc::invalid, std::string{name} + " is " + shown(value) + ", but must be " + right};
}

std::string_view next_word(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

} // namespace

std::string base64_decode(std::string_view text) {
  auto bytes = jobrunner::base64_decode(text);
  if (!bytes)
    throw wrong("a value", text, "base64 with its padding");
  return std::move(*bytes);
}

std::map<std::string, std::string> tus_metadata(std::string_view header) {
  std::map<std::string, std::string> all;
  for (auto rest = header; !rest.empty();) {
    auto pair = trimmed(next_word(rest, ','));
    const std::string name{next_word(pair, ' ')};
    const auto value = trimmed(pair);
    if (name.empty() || value.find(' ') != std::string_view::npos || all.contains(name))
      throw wrong("Upload-Metadata", header,
                  "names, each once, with a blank and base64 behind, separated by commas");
    try {
      all[name] = base64_decode(value);
    } catch (const failure&) {
      throw wrong("Upload-Metadata", header, "base64 behind the name " + name);
    }
    if (!is_utf8(all[name]))
      throw wrong("Upload-Metadata", header, "the base64 of UTF-8 text behind the name " + name);
  }
  return all;
}

std::uint64_t tus_bytes(std::string_view name, std::string_view header) {
  std::uint64_t n = 0;
  const char* const end = header.data() + header.size();
  const auto [stop, problem] = std::from_chars(header.data(), end, n);
  if (problem != std::errc{} || stop != end || n > INT64_MAX)
    throw wrong(name, header, "a whole number of bytes");
  return n;
}

std::string tus_checksum(std::string_view header) {
  auto rest = header;
  const auto algorithm = next_word(rest, ' ');
  if (algorithm != "sha256")
    throw wrong("Upload-Checksum", header, "sha256, a blank, and the digest in base64");
  const auto digest = base64_decode(trimmed(rest));
  constexpr std::size_t digest_bytes = 32;
  if (digest.size() != digest_bytes)
    throw wrong("Upload-Checksum", header, "the 32 bytes of a SHA-256 in base64");
  return to_hex({reinterpret_cast<const unsigned char*>(digest.data()), digest.size()});
}

tus_concat tus_concatenation(std::string_view header) {
  tus_concat c;
  if (header == "partial") {
    c.partial = true;
    return c;
  }
  auto rest = header;
  if (next_word(rest, ';') != "final")
    throw wrong("Upload-Concat", header, "partial, or final; and the URLs of the parts");
  while (!trimmed(rest).empty()) {
    rest = trimmed(rest);
    const auto url = next_word(rest, ' ');
    c.parts.emplace_back(url.substr(url.rfind('/') + 1));
    if (c.parts.back().empty() || c.parts.size() > most_parts)
      throw wrong("Upload-Concat", header, "1 to 1000 URLs of uploads behind final;");
  }
  if (c.parts.empty())
    throw wrong("Upload-Concat", header, "1 to 1000 URLs of uploads behind final;");
  return c;
}

} // namespace jobrunner::http
