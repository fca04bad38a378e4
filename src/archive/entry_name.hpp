// Names inside an archive: which are allowed, and how one that is not is shown to a person.
#pragma once

#include <string>
#include <string_view>

namespace jobrunner::archive {

constexpr std::size_t max_component = 255; // bytes, the file system's own limit
constexpr std::size_t max_path = 1024;     // bytes
constexpr std::size_t max_depth = 64;      // components

/// The path of an entry below the folder that is extracted into: components joined by "/", and ""
/// for that folder itself ("./"). "." and doubled slashes fall away. Throws
/// failure{unprocessable} for a name that is absolute, climbs ("..") or has none, that is not
/// UTF-8, holds a control character (C0, DEL, C1) or a backslash, or breaks a limit above.
std::string entry_path(std::string_view raw, bool folder);

/// `raw` in double quotes for a sentence: whatever is not plain UTF-8 text as \xNN, and cut.
std::string shown(std::string_view raw);

} // namespace jobrunner::archive
