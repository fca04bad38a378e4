// Whether what a client has is still what we have (RFC 9110, 13.1). Entity tags are given and
// compared with their quotes: "abc" or W/"abc".
#pragma once

#include <chrono>
#include <string_view>

namespace jobrunner::http {

/// The meaning of an If-None-Match header: false if it is "*" or lists `etag` (compared weakly),
/// and the answer then is 304; true if nothing matches, and the answer is the file.
bool none_match(std::string_view header, std::string_view etag);

/// The meaning of an If-Range header: whether a range may be served. It may where the header is
/// `etag` (compared strongly: a weak tag never matches) or exactly the date `last_modified`.
bool if_range_matches(std::string_view header, std::string_view etag,
                      std::chrono::sys_seconds last_modified);

} // namespace jobrunner::http
