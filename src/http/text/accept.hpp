// Which of two representations a client would rather have (RFC 9110, 12.5.1).
#pragma once

#include <string_view>

namespace jobrunner::http {

/// The weight, from 0 to 1000, that an Accept header gives a media type such as "text/plain": that
/// of the most specific range that names it. 1000 for an empty header, which accepts all; 0 if
/// nothing names it.
int accepted(std::string_view accept, std::string_view media_type);

} // namespace jobrunner::http
