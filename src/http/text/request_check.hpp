// Rules of framing that Beast's parser does not have. Where two readers could disagree on where a
// request ends, or to whom it is, nothing may be read from the connection any more.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobrunner::http {

/// A request's header as parsed. Views into whatever holds it.
struct framing {
  unsigned version = 11; // 10 for HTTP/1.0, 11 for HTTP/1.1
  std::string_view target;
  std::vector<std::pair<std::string_view, std::string_view>> headers; // in order, each occurrence
  bool folded = false; // a field went on in a second line
};

/// Why a request is not served.
struct verdict {
  unsigned status = 400;
  std::string detail; // a sentence for a person
};

/// Whether a line of these raw header bytes continues the one before it (RFC 9112, 5.2).
bool has_folded_line(std::string_view raw);

/// Nothing if the request is framed beyond doubt; otherwise the answer, after which the connection
/// is to be closed: 400 (RFC 9112, 3.2 and 6.1), 401 for several Authorization headers, 414 and
/// 431 for what is too long, 417 for an expectation that we do not know, 505 for another version.
/// Call it before any of the body is read, and never with trailer fields.
std::optional<verdict> check_framing(const framing&);

} // namespace jobrunner::http
