#include "archive/extract.hpp"

#include "archive/reader.hpp"
#include "archive/writer.hpp"
#include "core/error.hpp"

#include <clocale>

namespace jobrunner::archive {

// Under a UTF-8 locale libarchive 3.6.2 composes the names in pax headers (NFC), so that a program
// looking for a decomposed one would miss it. Under "C" it cannot convert them and falls back to
// the raw bytes, which entry_path() checks. In zips it has no such fall-back.
void set_locale(kind what) {
  const char* name = what == kind::zip ? "C.UTF-8" : "C";
  if (std::setlocale(LC_CTYPE, name) == nullptr)
    throw failure{errc::internal, std::string{"the locale is missing: "} + name};
}

totals extract(int fd, kind what, int folder, int list, const limits& most) {
  budget spent{most};
  reader in{fd, what, spent};
  writer out{folder, list, most, spent};
  while (const auto e = in.next()) {
    if (e->folder) {
      out.folder(*e);
      continue;
    }
    out.begin_file(*e);
    while (const auto b = in.more())
      out.write(*b);
    out.end_file();
  }
  out.finish();
  return {out.files(), spent.bytes()};
}

} // namespace jobrunner::archive
