// gzip by zlib itself: libarchive 3.6.2 does not look at the checksum at a stream's end, so that
// a flipped bit in a dataset would pass.
#pragma once

#include "archive/source.hpp"

#include <zlib.h>

#include <vector>

namespace jobrunner::archive {

/// Members one after the other are one stream (RFC 1952, 2.2); bytes after the last are ignored.
class gunzip : public source {
public:
  gunzip(input& from, budget& spent);
  ~gunzip() override;
  std::span<const std::byte> next() override;

private:
  bool fill();        // whether there is more input
  bool next_member(); // whether one begins here
  void inflate_some();

  input& from_;
  budget& spent_;
  z_stream stream_{};
  bool within_ = true; // a member, not behind the last
  std::vector<std::byte> out_;
};

} // namespace jobrunner::archive
