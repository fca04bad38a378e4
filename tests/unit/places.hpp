// Where tests find what lies outside them.
#pragma once

#include <filesystem>
#include <string>

namespace jobrunner {

std::filesystem::path programs_folder(); // of the build: jobrunner-extract

/// The text of a fixture. Throws std::runtime_error when there is none, or an empty one.
std::string fixture(const std::string& name);

} // namespace jobrunner
