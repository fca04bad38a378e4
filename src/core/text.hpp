// Text of a client's, character by character, and how to show it in an error message.
#pragma once

#include <string>
#include <string_view>

namespace jobrunner {

/// Whether `text` is UTF-8 as RFC 3629 has it: shortest forms, no surrogates, at most U+10FFFF.
/// A NUL is valid UTF-8.
bool is_utf8(std::string_view text);

/// The bytes (1 to 4) of the UTF-8 character that `text` begins with; 0 if it begins with none.
std::size_t utf8_length(std::string_view text);

/// With A to Z as a to z, and all else as it is.
std::string lower_ascii(std::string_view text);

/// `value` as an error message may quote it: in double quotes, with control bytes and what is no
/// UTF-8 as \xNN, cut to 100 characters (then ending in ...").
std::string shown(std::string_view value);

} // namespace jobrunner
