// Small archives in memory, written by libarchive's own writer.
#pragma once

#include "core/unique_fd.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <sys/mman.h>

namespace jobrunner::archive {

class made_archive {
public:
  /// `format` and `filter` by libarchive's names: "ustar", "zip"; "gzip", "" for none.
  explicit made_archive(const std::string& format = "pax", const std::string& filter = "")
      : archive_(archive_write_new()),
        bytes_(1U << 22U, '\0') {
    EXPECT_EQ(archive_write_set_format_by_name(archive_, format.c_str()), ARCHIVE_OK);
    if (!filter.empty()) {
      EXPECT_EQ(archive_write_add_filter_by_name(archive_, filter.c_str()), ARCHIVE_OK);
    }
    archive_write_set_options(archive_, "hdrcharset=BINARY"); // zip knows no such option
    archive_write_set_bytes_in_last_block(archive_, 1);       // no padding
    EXPECT_EQ(archive_write_open_memory(archive_, bytes_.data(), bytes_.size(), &used_),
              ARCHIVE_OK);
  }
  made_archive(const made_archive&) = delete;
  made_archive& operator=(const made_archive&) = delete;
  ~made_archive() { archive_write_free(archive_); }

  made_archive& file(const std::string& name, std::string_view data, unsigned mode = 0644,
                     std::int64_t mtime = 1000000000) {
    return add(name, AE_IFREG, mode, data, mtime, "");
  }
  made_archive& folder(const std::string& name, unsigned mode = 0755,
                       std::int64_t mtime = 1000000000) {
    return add(name, AE_IFDIR, mode, "", mtime, "");
  }
  made_archive& link(const std::string& name, const std::string& target) {
    return add(name, AE_IFLNK, 0777, "", 0, target);
  }
  made_archive& special(const std::string& name, unsigned type) {
    return add(name, type, 0644, "", 0, "");
  }

  /// The archive; nothing can be added any more.
  std::string bytes() {
    archive_write_close(archive_);
    return bytes_.substr(0, used_);
  }

private:
  made_archive& add(const std::string& name, unsigned type, unsigned mode, std::string_view data,
                    std::int64_t mtime, const std::string& target) {
    archive_entry* e = archive_entry_new();
    archive_entry_copy_pathname(e, name.c_str());
    archive_entry_set_filetype(e, type);
    archive_entry_set_perm(e, mode);
    archive_entry_set_size(e, static_cast<la_int64_t>(data.size()));
    archive_entry_set_mtime(e, mtime, 0);
    if (!target.empty())
      archive_entry_copy_symlink(e, target.c_str());
    EXPECT_GE(archive_write_header(archive_, e), ARCHIVE_WARN) << archive_error_string(archive_);
    if (!data.empty()) {
      EXPECT_EQ(archive_write_data(archive_, data.data(), data.size()),
                static_cast<la_ssize_t>(data.size()));
    }
    archive_entry_free(e);
    return *this;
  }

  ::archive* archive_;
  std::string bytes_;
  std::size_t used_ = 0;
};

/// A regular file in memory with these bytes, at its start.
inline unique_fd file_with(std::string_view bytes) {
  unique_fd fd{memfd_create("archive", MFD_CLOEXEC)};
  EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

} // namespace jobrunner::archive
