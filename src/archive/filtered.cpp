#include "archive/filtered.hpp"

#include "core/error.hpp"

#include <cerrno>

namespace jobrunner::archive {

filtered::filtered(input& from, budget& spent)
    : from_(from),
      spent_(spent),
      archive_(make_reader()) {
  auto* const a = archive_.get();
  // "raw" hands out what the filters make of the input, as one entry without a name.
  must(a, archive_read_support_format_raw(a));
  // gzip is here so that it is noticed underneath another one; alone it is for `gunzip`.
  must(a, archive_read_support_filter_gzip(a));
  must(a, archive_read_support_filter_xz(a));
  must(a, archive_read_support_filter_lzma(a));
  must(a, archive_read_support_filter_zstd(a));
  must(a, archive_read_support_filter_bzip2(a));
  if (archive_read_open(a, this, nullptr, &filtered::read, nullptr) != ARCHIVE_OK)
    fail();
  if (archive_filter_count(a) > 2) // the input itself counts as one
    throw failure{errc::unprocessable, "The archive was refused: it is compressed more than once; "
                                       "one of gzip, xz, lzma, zstd or bzip2 is allowed."};
  archive_entry* whole = nullptr;
  if (archive_read_next_header(a, &whole) != ARCHIVE_OK)
    fail();
}

la_ssize_t filtered::read(::archive* a, void* self, const void** block) {
  auto& me = *static_cast<filtered*>(self);
  try {
    const auto bytes = me.from_.next();
    *block = bytes.data();
    return static_cast<la_ssize_t>(bytes.size());
  } catch (...) { // must not travel through C
    me.thrown_ = std::current_exception();
    archive_set_error(a, EIO, "cannot read");
    return -1;
  }
}

std::span<const std::byte> filtered::next() {
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  for (;;) { // a filter may hand out nothing between two members
    const auto result = archive_read_data_block(archive_.get(), &block, &size, &offset);
    if (result == ARCHIVE_EOF)
      return {};
    if (result != ARCHIVE_OK)
      fail();
    if (size == 0)
      continue;
    spent_.unpacked(size);
    return {static_cast<const std::byte*>(block), size};
  }
}

void filtered::fail() const {
  if (thrown_)
    std::rethrow_exception(thrown_);
  throw failure{errc::unprocessable,
                "The archive is cut off or broken: " + words(archive_.get()) + "."};
}

} // namespace jobrunner::archive
