// The header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header).
#pragma once

#include <string>
#include <string_view>

namespace jobrunner::http {

/// The key in `value`: a quoted string as the draft has it (RFC 8941, sf-string), or the bare text
/// that most clients send; both mean the same key. Throws failure{invalid} unless it is 1 to 255
/// printable ASCII characters.
std::string parse_idempotency_key(std::string_view value);

} // namespace jobrunner::http
