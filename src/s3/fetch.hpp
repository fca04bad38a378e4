// Objects of a bucket as one ordered stream of bytes, fetched by several connections at once.
#pragma once

#include "s3/client.hpp"
#include "s3/retry.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

namespace jobrunner::s3 {

struct pace {
  unsigned connections = 4;
  std::uint64_t piece = 8U << 20U; // bytes of one request
  patience tries{};
};

/// A part of one of the objects.
struct piece {
  std::size_t object = 0; // its place in the list
  std::uint64_t offset = 0;
  std::size_t size = 0;
};

/// Cuts objects into pieces, in order; an empty object is one empty piece.
class cutter {
public:
  /// Begins with byte `offset` of object number `first`.
  cutter(std::span<const object> objects, std::uint64_t piece_bytes, std::size_t first,
         std::uint64_t offset);
  bool next(piece& into); // false: that was all

private:
  std::span<const object> objects_;
  std::uint64_t piece_bytes_;
  piece at_;
};

/// Takes the bytes of each piece, one after the other. What it throws ends the fetch.
using take = std::function<void(const piece&, std::span<const char>)>;

/// Feeds `into` with all objects from there on. Each piece is tried again as `pace` says; at most
/// connections + 2 pieces are in memory. Blocks. Throws failure: conflict if an object is no longer
/// the one that was listed, stopped, and what client and `into` throw.
void fetch(const place& from, std::span<const object> objects, std::size_t first,
           std::uint64_t offset, const pace&, const std::stop_token& stop, const take& into);

} // namespace jobrunner::s3
