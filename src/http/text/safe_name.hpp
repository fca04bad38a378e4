// The name under which an uploaded file is kept.
#pragma once

#include <string>
#include <string_view>

namespace jobrunner::http {

/// The last component of what the client called its file; '/' and '\' both separate (a browser on
/// Windows may send a whole path). A name over 255 bytes is cut before its extension (".tar.gz"
/// counts as one). Otherwise the name is kept as it is, or refused: throws failure{invalid} if it
/// is empty, only dots and blanks, begins or ends with a blank, is not UTF-8 or holds control
/// characters.
std::string safe_name(std::string_view client_name);

} // namespace jobrunner::http
