// Where an object of a bucket may lie below a dataset's folder.
#pragma once

#include <string>
#include <string_view>

namespace jobrunner::s3 {

/// `key` as it is, if it can be a path below a folder and no other key can be the same one. Throws
/// failure{unprocessable} for one that is empty, begins or ends with '/', has an empty part, "."
/// or "..", a backslash, control characters, is not UTF-8, or is longer than file systems and
/// jobs take (a part 255 bytes, the whole 1024, 64 parts).
std::string key_path(std::string_view key);

/// The last part of a key: the name under which an imported object is kept. Throws likewise.
std::string key_name(std::string_view key);

/// A prefix of keys to write below: like key_path(), or empty; a '/' is added at its end. Throws
/// failure{invalid}.
std::string export_prefix(std::string_view prefix);

} // namespace jobrunner::s3
