#pragma once

#include <string>
#include <string_view>

namespace jobrunner {

/// What a file that a job left is for, from its path below RESULT_DIR: "weights" (by the name's
/// ending), "result" (result.json), "manifest" (manifest.json) or "file".
std::string output_kind(std::string_view path);

} // namespace jobrunner
