#include "archive/reader.hpp"

#include "archive/entry_name.hpp"
#include "archive/refusal.hpp"
#include "archive/zip_directory.hpp"
#include "core/error.hpp"

#include <archive_entry.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace jobrunner::archive {
namespace {

// Names that libarchive could not convert are checked by entry_path(), and those of owners and
// groups are not used. Any other warning about a header means that it was not understood.
bool harmless(::archive* a, int result) {
  const char* said = archive_error_string(a);
  return result == ARCHIVE_WARN && said != nullptr &&
         std::string_view{said}.find("can't be converted") != std::string_view::npos;
}

void check_kind(archive_entry* e, const std::string& name) {
  const std::string rule = "; only files and folders are allowed.";
  if (archive_entry_hardlink(e) != nullptr)
    refuse("entry " + name + " is a hard link" + rule);
  if (archive_entry_symlink(e) != nullptr || archive_entry_filetype(e) == AE_IFLNK)
    refuse("entry " + name + " is a symbolic link" + rule);
  if (archive_entry_filetype(e) != AE_IFREG && archive_entry_filetype(e) != AE_IFDIR)
    refuse("entry " + name + " is a device, FIFO or socket" + rule);
  if (archive_entry_is_encrypted(e) != 0)
    refuse("entry " + name + " is encrypted; upload it without a password.");
}

} // namespace

reader::reader(int fd, kind what, budget& spent) : kind_(what), archive_(make_reader()) {
  auto* const a = archive_.get();
  if (what == kind::zip) {
    promised_ = zip_entries(fd, spent);
    must(a, archive_read_support_format_zip_seekable(a));
    constexpr std::size_t piece = 256U << 10U;
    if (lseek(fd, 0, SEEK_SET) != 0)
      throw errno_failure("reading the archive");
    if (archive_read_open_fd(a, fd, piece) != ARCHIVE_OK)
      fail("its start");
  } else {
    input_.emplace(fd, spent);
    source_ = open_source(*input_, spent);
    must(a, archive_read_support_format_tar(a));
    if (archive_read_open(a, this, nullptr, &reader::read, nullptr) != ARCHIVE_OK)
      fail("its start");
  }
}

la_ssize_t reader::read(::archive* a, void* self, const void** block) {
  auto& me = *static_cast<reader*>(self);
  try {
    const auto bytes = me.source_->next();
    *block = bytes.data();
    return static_cast<la_ssize_t>(bytes.size());
  } catch (...) { // must not travel through C
    me.thrown_ = std::current_exception();
    archive_set_error(a, EIO, "cannot read");
    return -1;
  }
}

std::optional<entry> reader::next() {
  archive_entry* e = nullptr;
  const auto result = archive_read_next_header(archive_.get(), &e);
  if (result == ARCHIVE_EOF) {
    if (seen_ == 0)
      refuse("it holds no files.");
    if (source_)
      finish_tar();
    else if (!same_count(promised_, seen_))
      refuse("its directory names " + std::to_string(promised_) + " entries, but " +
             std::to_string(seen_) + " are there.");
    return std::nullopt;
  }
  if (result != ARCHIVE_OK && !harmless(archive_.get(), result))
    fail(at_.empty() ? "its start" : "the entry after " + at_);
  ++seen_;
  return described(e);
}

entry reader::described(archive_entry* e) {
  const char* raw = archive_entry_pathname(e);
  at_ = shown(raw != nullptr ? raw : "");
  check_kind(e, at_);
  entry found;
  found.folder = archive_entry_filetype(e) == AE_IFDIR;
  found.path = entry_path(raw != nullptr ? raw : "", found.folder);
  found.executable = (archive_entry_perm(e) & 0111U) != 0;
  if (!found.folder && archive_entry_size(e) < 0)
    refuse("entry " + at_ + " says that its size is negative.");
  if (!found.folder)
    found.size = static_cast<std::uint64_t>(archive_entry_size(e));
  if (archive_entry_mtime_is_set(e) != 0)
    found.mtime = archive_entry_mtime(e);
  return found;
}

std::optional<block> reader::more() {
  const void* bytes = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  const auto result = archive_read_data_block(archive_.get(), &bytes, &size, &offset);
  if (result == ARCHIVE_EOF)
    return std::nullopt;
  if (result != ARCHIVE_OK || offset < 0)
    fail("entry " + at_);
  return block{static_cast<std::uint64_t>(offset), {static_cast<const std::byte*>(bytes), size}};
}

// libarchive takes the end of the input between two entries for the end of the archive. POSIX
// (pax, "ustar Interchange Format") ends one with two blocks of zeros: without them it is cut.
void reader::finish_tar() {
  constexpr la_int64_t end_mark = 1024;
  auto* const a = archive_.get();
  if (archive_filter_bytes(a, 0) - archive_read_header_position(a) < end_mark)
    refuse("it is cut off after entry " + at_ +
           "; the two blocks of zeros that end a tar are missing.");
  while (!source_->next().empty()) { // the padding, and the checksum of the compression behind it
  }
  while (!input_->next().empty()) { // whoever writes into a pipe must not be interrupted
  }
}

void reader::fail(const std::string& at) const {
  if (thrown_)
    std::rethrow_exception(thrown_);
  const std::string format = kind_ == kind::zip ? "zip" : "tar";
  throw failure{errc::unprocessable, "The archive is cut off, broken or no " + format +
                                         ", noticed at " + at + ": " + words(archive_.get()) + "."};
}

} // namespace jobrunner::archive
