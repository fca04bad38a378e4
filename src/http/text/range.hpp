// Which part of a file a request asks for (RFC 9110, 14).
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

namespace jobrunner::http {

/// All of it, with 200.
struct whole {
  bool operator==(const whole&) const = default;
};

/// Bytes `first` to `last`, both included and both within the file, with 206.
struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size() const { return last - first + 1; }
  bool operator==(const byte_range&) const = default;
};

/// Nothing that the file has: 416 with `Content-Range: bytes */size`.
struct unsatisfiable {
  bool operator==(const unsatisfiable&) const = default;
};

using range_answer = std::variant<whole, byte_range, unsatisfiable>;

/// What a Range header asks of a file of `size` bytes. As RFC 9110, 14.2, allows, a header that is
/// malformed, in another unit, or names several ranges is ignored: the answer is whole.
range_answer parse_range(std::string_view header, std::uint64_t size);

} // namespace jobrunner::http
