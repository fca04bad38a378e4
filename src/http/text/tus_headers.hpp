// The headers of tus 1.0 (https://tus.io/protocols/resumable-upload): text in, values out.
// Everything here throws failure{invalid} that names the header, its value and what would be right.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::http {

/// RFC 4648, 4, with its padding.
std::string base64_decode(std::string_view text);

/// Upload-Metadata: "name base64,name base64,flag".
std::map<std::string, std::string> tus_metadata(std::string_view header);

/// A whole number of bytes, as in Upload-Offset and Upload-Length; `name` is the header's.
std::uint64_t tus_bytes(std::string_view name, std::string_view header);

/// Upload-Checksum: "sha256 base64". The digest in lower-case hexadecimal digits.
std::string tus_checksum(std::string_view header);

/// Upload-Concat: "partial", or "final;" and the URLs of the parts, separated by blanks.
struct tus_concat {
  bool partial = false;
  std::vector<std::string> parts; // the last segments of their paths
};
tus_concat tus_concatenation(std::string_view header);

} // namespace jobrunner::http
