// A stream through libarchive's filters: none, or one of xz, lzma, zstd and bzip2.
#pragma once

#include "archive/handle.hpp"
#include "archive/source.hpp"

#include <exception>

namespace jobrunner::archive {

class filtered : public source {
public:
  filtered(input& from, budget& spent);
  std::span<const std::byte> next() override;

private:
  static la_ssize_t read(::archive*, void* self, const void** block);
  [[noreturn]] void fail() const;

  input& from_;
  budget& spent_;
  std::exception_ptr thrown_; // by our own code while libarchive's was on the stack
  reader_handle archive_;
};

} // namespace jobrunner::archive
