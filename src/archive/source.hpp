// The bytes of a tar as they come out of its compression, so that cut or corrupt compression is
// noticed to its very end, and swelling is counted, whatever the tar reader makes of them.
#pragma once

#include "archive/input.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace jobrunner::archive {

class source {
public:
  source() = default;
  source(const source&) = delete;
  source& operator=(const source&) = delete;
  virtual ~source() = default;

  /// The next bytes, valid until the next call; empty at the end, which is reached only if the
  /// compressed stream was whole. Throws failure{unprocessable, internal}.
  virtual std::span<const std::byte> next() = 0;
};

/// What `from` holds, unpacked once if it is gzip, xz, lzma, zstd or bzip2, told by its first
/// bytes. Throws failure{unprocessable} if it is compressed more than once or has no bytes.
std::unique_ptr<source> open_source(input& from, budget& spent);

} // namespace jobrunner::archive
