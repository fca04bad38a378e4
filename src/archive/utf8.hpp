#pragma once

#include <cstddef>
#include <string_view>

namespace jobrunner::archive {

/// The bytes that the first character of `text` takes, or 0 if that is not well-formed UTF-8
/// (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) or a control character
/// (U+0000 to U+001F, U+007F to U+009F). `text` is not empty.
std::size_t printable_prefix(std::string_view text);

} // namespace jobrunner::archive
