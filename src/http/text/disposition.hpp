// The name under which a browser keeps a download (RFC 6266).
#pragma once

#include <string>
#include <string_view>

namespace jobrunner::http {

/// A Content-Disposition: attachment, with `filename` for every client (other than plain ASCII as
/// '_') and filename* in UTF-8 (RFC 8187) for those that read it. Whatever `filename` holds, the
/// result is one header line: control bytes are dropped, slashes of either kind become '_', and
/// what is not UTF-8 too. An empty name becomes "download".
std::string attachment(std::string_view filename);

} // namespace jobrunner::http
