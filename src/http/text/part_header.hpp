// What the header of one part of multipart/form-data says (RFC 7578, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jobrunner::http {

struct part_header {
  std::string name;                    // of the form's field; not empty, UTF-8
  std::optional<std::string> filename; // as the client says it: for safe_name, never for a path
  std::string content_type;            // as sent; "text/plain" where nothing is
};

/// Reads the lines of a part's header, each ended by CR LF. A filename* (RFC 8187, UTF-8 only)
/// goes before filename; %22 in a name is a quote, as browsers and curl write it.
/// Throws failure{invalid}: no form field, malformed or folded lines, more than
/// max_part_headers lines, a Content-Transfer-Encoding, names that are not UTF-8.
part_header parse_part_header(std::string_view lines);

/// Throws failure{invalid} for a body that is no multipart/form-data, and says why.
[[noreturn]] void refuse_multipart(const std::string& what);

/// The boundary of a body of that Content-Type. Throws failure: unsupported if it is not
/// multipart/form-data, invalid if the boundary is missing, or not one of RFC 2046, 5.1.1.
std::string boundary_of(std::string_view content_type);

/// Whether `boundary` has 1 to 70 characters of those that RFC 2046, 5.1.1, allows.
bool is_boundary(std::string_view boundary);

} // namespace jobrunner::http
