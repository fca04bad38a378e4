// Percent-encoding: paths, queries and forms as browsers and curl write them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobrunner::http {

/// Names and values in the order they came; a name may occur twice.
using pairs = std::vector<std::pair<std::string, std::string>>;

/// `text` with every %XX decoded, once; all other bytes, '+' too, as they are.
/// Throws failure{invalid}: a % without two hexadecimal digits behind it, or %00.
std::string percent_decode(std::string_view text);

/// The fields of "a=1&b=two+words": '+' is a blank, a field without '=' has an empty value, empty
/// fields ("&&") are skipped. Serves the part of a target behind '?' and a body of type
/// application/x-www-form-urlencoded alike. Throws failure{invalid}: as percent_decode, names or
/// values that are not UTF-8, more than max_fields, or more than max_field_bytes in one.
pairs parse_urlencoded(std::string_view text);

} // namespace jobrunner::http
