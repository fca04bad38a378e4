// The members of a JSON object with their values as they were written: 0.1 stays 0.1 and a job's
// parameters reach it byte for byte, which a parsed and printed copy would not.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobrunner::http {

/// How deep JSON of a client's may be nested.
constexpr unsigned max_json_depth = 32;

/// Throws failure{invalid} that begins with `what` unless `text` is one JSON object (RFC 8259) in
/// valid UTF-8, nested at most max_json_depth deep. Its size is the caller's concern.
void require_json_object(std::string_view text, const std::string& what);

/// Names (decoded) and values (raw text) of a valid JSON object, duplicates too.
/// `object` must have passed require_json_object. The values are views into it.
std::vector<std::pair<std::string, std::string_view>> json_members(std::string_view object);

/// The text that a valid JSON string (with its quotes) stands for.
std::string json_string(std::string_view raw);

} // namespace jobrunner::http
