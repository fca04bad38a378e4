// Bodies that hold named fields, and the token of a request.
#pragma once

#include "core/config.hpp"
#include "http/text/fields.hpp"
#include "http/types.hpp"

#include <string_view>

namespace jobrunner::http {

constexpr std::size_t largest_form = 1 << 20;

/// The fields of a body: multipart/form-data, urlencoded or a JSON object; none if it is empty.
/// Throws failure: unsupported (another kind of body), invalid.
fields parse_form(std::string_view content_type, std::string_view body);

/// Throws failure{unauthorized} unless the request carries "Authorization: Bearer <token>" or
/// "X-API-Key: <token>"; both only if both are right.
void check_token(const beast::fields& headers, const secret& token);

} // namespace jobrunner::http
