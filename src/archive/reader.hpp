// The entries of a tar or a zip, one after the other. All that libarchive says about an entry
// beyond these few fields (owner, ACL, extended attributes, flags) is left alone.
#pragma once

#include "archive/budget.hpp"
#include "archive/handle.hpp"
#include "archive/name.hpp"
#include "archive/source.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>

struct archive_entry;

namespace jobrunner::archive {

struct entry {
  std::string path; // checked by entry_path(); "" is the top folder
  bool folder = false;
  bool executable = false;
  std::uint64_t size = 0;            // as announced; 0 for a folder
  std::optional<std::int64_t> mtime; // seconds since 1970
};

struct block {
  std::uint64_t offset = 0; // in the file; what lies between blocks is a hole
  std::span<const std::byte> bytes;
};

class reader {
public:
  /// `fd` stays the caller's. A zip must be a regular file.
  /// Throws failure{unprocessable, internal}, as do next() and more().
  reader(int fd, kind what, budget& spent);
  reader(const reader&) = delete; // libarchive holds a pointer to it
  reader& operator=(const reader&) = delete;

  /// The next entry, or none: then the archive was complete and `fd` is read to its end.
  /// Throws failure{unprocessable} for what is neither file nor folder, and for encrypted ones.
  std::optional<entry> next();

  /// The next bytes of the entry, valid until the next call, or none.
  std::optional<block> more();

private:
  static la_ssize_t read(::archive*, void* self, const void** block);
  entry described(archive_entry*);
  void finish_tar();
  [[noreturn]] void fail(const std::string& at) const;

  kind kind_;
  std::string at_; // the entry being read, as shown()
  std::uint64_t seen_ = 0;
  std::uint64_t promised_ = 0;     // entries in a zip's directory, see zip_directory.hpp
  std::exception_ptr thrown_;      // by our own code while libarchive's was on the stack
  std::optional<input> input_;     // of a tar
  std::unique_ptr<source> source_; // of a tar
  reader_handle archive_;
};

} // namespace jobrunner::archive
