// Header values of the shape `value; name=text; name="quoted text"`, as in Content-Type and
// Content-Disposition.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobrunner::http {

struct header_value {
  std::string value;                                       // in lower case: "multipart/form-data"
  std::vector<std::pair<std::string, std::string>> params; // names in lower case, each once

  std::optional<std::string> param(std::string_view name) const;
};

/// Reads such a value. In a quoted text only \" and \\ are escapes, as curl writes them; another
/// backslash is itself, as in the file names of browsers on Windows.
/// Throws failure{invalid} that quotes `text`: another shape, or a parameter given twice.
header_value parse_header_value(std::string_view text);

} // namespace jobrunner::http
