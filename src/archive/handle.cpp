#include "archive/handle.hpp"

#include "archive/utf8.hpp"
#include "core/error.hpp"

#include <string_view>

namespace jobrunner::archive {

reader_handle make_reader() {
  reader_handle made{archive_read_new()};
  if (!made)
    throw failure{errc::internal, "libarchive cannot be set up: no memory"};
  return made;
}

void must(::archive* a, int result) {
  if (result != ARCHIVE_OK)
    throw failure{errc::internal, "libarchive cannot be set up: " + words(a)};
}

std::string words(::archive* a) {
  const char* said = archive_error_string(a);
  std::string plain;
  for (std::string_view rest = said != nullptr ? said : "no reason given"; !rest.empty();) {
    const auto length = printable_prefix(rest);
    plain += length == 0 ? "?" : rest.substr(0, length);
    rest.remove_prefix(length == 0 ? 1 : length);
  }
  return plain;
}

} // namespace jobrunner::archive
