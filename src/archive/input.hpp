// The bytes of the upload as they arrive on a descriptor, counted.
#pragma once

#include "archive/budget.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace jobrunner::archive {

class input {
public:
  input(int fd, budget& spent);

  /// At least two bytes, unless there are fewer, that next() will return again.
  /// Call it before next(). This and next() throw failure{internal}.
  std::span<const std::byte> peek();

  /// The next bytes, valid until the next call; empty at the end.
  std::span<const std::byte> next();

private:
  std::size_t read_to(std::size_t offset);

  int fd_;
  budget& spent_;
  std::vector<std::byte> buffer_;
  std::size_t peeked_ = 0;
};

} // namespace jobrunner::archive
