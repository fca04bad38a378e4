// The hash of every extracted file, taken while it is written, and the list of them.
#pragma once

#include "core/sha256.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace jobrunner::archive {

class listing {
public:
  /// `fd` stays the caller's; lines as in core/file_list.hpp are appended to it. -1: no list.
  explicit listing(int fd) noexcept : fd_(fd) {}

  void begin();
  /// Bytes of the file that begin at `offset`; what was left out before is a hole. False if they do
  /// not lie behind all that came before.
  bool add(std::uint64_t offset, std::span<const std::byte> bytes);
  void end(const std::string& path, std::uint64_t size);

  /// Throws failure: disk_full, internal.
  void finish();

private:
  void zeros(std::uint64_t until);

  int fd_;
  std::optional<sha256> hash_;
  std::uint64_t hashed_ = 0;
  std::string lines_;
};

} // namespace jobrunner::archive
