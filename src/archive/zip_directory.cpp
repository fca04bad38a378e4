#include "archive/zip_directory.hpp"

#include "core/error.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace jobrunner::archive {
namespace {

constexpr std::size_t end_size = 22;     // of the end record without its comment
constexpr std::size_t locator_size = 20; // of zip64's pointer, right before the end record
constexpr std::size_t zip64_size = 56;   // of zip64's end record
constexpr std::size_t longest_comment = 65535;
constexpr std::uint64_t unknown_here = 0xffff; // then zip64 knows

[[noreturn]] void refuse_zip(const std::string& why) {
  throw failure{errc::unprocessable, "The archive is cut off, broken or no zip: " + why};
}

std::string read_at(int fd, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const auto n = pread(fd, bytes.data() + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      throw errno_failure("reading the archive");
    if (n == 0)
      refuse_zip("it ends too early.");
    have += static_cast<std::size_t>(n);
  }
  return bytes;
}

std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t x = 0;
  for (std::size_t i = size; i-- > 0;)
    x = x << 8U | static_cast<unsigned char>(bytes.at(at + i));
  return x;
}

} // namespace

std::uint64_t zip_entries(int fd, budget& spent) {
  struct stat st {};
  if (fstat(fd, &st) != 0)
    throw errno_failure("reading the archive");
  if (!S_ISREG(st.st_mode))
    throw failure{errc::internal, "a zip must be given as a regular file"};
  const auto size = static_cast<std::uint64_t>(st.st_size);
  spent.consumed(size);
  if (size == 0)
    throw failure{errc::unprocessable, "The archive is empty: it has no bytes."};

  const auto tail = std::min<std::uint64_t>(size, end_size + locator_size + longest_comment);
  const auto last = read_at(fd, size - tail, static_cast<std::size_t>(tail));
  const auto at = last.rfind("PK\5\6");
  if (at == std::string::npos || last.size() - at < end_size)
    refuse_zip("the directory at its end is missing.");
  const auto count = little_endian(last, at + 10, 2);
  if (count != unknown_here || at < locator_size ||
      last.compare(at - locator_size, 4, "PK\6\7") != 0)
    return count;
  const auto where = little_endian(last, at - locator_size + 8, 8);
  if (where > size || size - where < zip64_size)
    refuse_zip("its zip64 directory is missing.");
  const auto record = read_at(fd, where, zip64_size);
  if (record.compare(0, 4, "PK\6\6") != 0)
    refuse_zip("its zip64 directory is missing.");
  return little_endian(record, 32, 8);
}

bool same_count(std::uint64_t promised, std::uint64_t seen) {
  return promised == seen || (promised <= unknown_here && promised == (seen & unknown_here));
}

} // namespace jobrunner::archive
