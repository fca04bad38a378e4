// One of the files of an export, as it was when it was opened: nothing that a job does to it later
// goes out unnoticed.
#pragma once

#include "core/error.hpp"
#include "core/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace jobrunner::s3 {

class source_file {
public:
  /// Throws failure{unprocessable} if it is not there below the folder, or has another size.
  source_file(const std::filesystem::path& folder, std::string path, std::uint64_t size);

  /// Throws likewise if there is less.
  std::string read(std::uint64_t offset, std::uint64_t size) const;

  /// What tells it from a later one of the same name.
  const std::string& version() const noexcept { return version_; }

  failure changed() const;

private:
  std::string path_, version_;
  unique_fd file_;
};

} // namespace jobrunner::s3
