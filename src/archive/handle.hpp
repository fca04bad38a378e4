// libarchive's reader with one owner.
#pragma once

#include <archive.h>

#include <memory>
#include <string>

namespace jobrunner::archive {

struct release_reader {
  void operator()(::archive* p) const noexcept { archive_read_free(p); }
};
using reader_handle = std::unique_ptr<::archive, release_reader>;

/// Throws failure{internal} if libarchive cannot make one.
reader_handle make_reader();

/// Throws failure{internal} unless `result` is ARCHIVE_OK: for calls that only set up.
void must(::archive*, int result);

/// libarchive's last error in its own words, without bytes that would not print.
std::string words(::archive*);

} // namespace jobrunner::archive
