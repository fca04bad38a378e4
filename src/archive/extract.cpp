#include "archive/extract.hpp"

#include "archive/reader.hpp"
#include "archive/write_behind.hpp"
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

namespace {

void unpack(int fd, kind what, budget& spent, write_behind& out) {
  reader in{fd, what, spent};
  while (auto e = in.next()) {
    if (e->folder) {
      out.folder(std::move(*e));
      continue;
    }
    out.begin_file(std::move(*e));
    while (const auto b = in.more())
      out.write(*b);
    out.end_file();
  }
}

} // namespace

totals extract(int fd, kind what, int folder, int list, const limits& most, worker& beside) {
  budget spent{most};
  writer out{folder, list, most, spent};
  write_behind later{out, beside};
  try {
    unpack(fd, what, spent, later);
  } catch (...) {
    later.finish(); // what failed there came first in the archive
    throw;
  }
  later.finish();
  out.finish();
  return {out.files(), spent.bytes()};
}

} // namespace jobrunner::archive
