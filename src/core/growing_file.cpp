#include "core/growing_file.hpp"

#include "core/error.hpp"
#include "core/sha256.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <vector>

namespace jobrunner {

namespace {

constexpr std::size_t block = 65536;
constexpr std::uint64_t hashed = 4096; // of the end of what a tag names

/// What of a tag does not change while the file grows.
std::string name_of(int file, std::uint64_t size) {
  struct stat about {};
  if (fstat(file, &about) != 0)
    throw errno_failure("look at the file");
  std::array<char, hashed> bytes{};
  const auto first = size - std::min(size, hashed);
  const auto n = read_at(file, {bytes.data(), static_cast<std::size_t>(size - first)}, first);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%llx-%llx-",
                static_cast<unsigned long long>(about.st_ino),
                static_cast<unsigned long long>(size));
  return text.data() + sha256_of({bytes.data(), n}).substr(0, 16);
}

} // namespace

std::size_t read_at(int file, std::span<char> into, std::uint64_t offset) {
  std::size_t have = 0;
  while (have < into.size()) {
    const auto n =
        pread(file, into.data() + have, into.size() - have, static_cast<off_t>(offset + have));
    if (n == 0)
      break;
    if (n > 0)
      have += static_cast<std::size_t>(n);
    else if (errno != EINTR)
      throw errno_failure("read the file");
  }
  return have;
}

std::uint64_t tail_start(int file, std::uint64_t size, std::uint64_t lines, std::uint64_t most) {
  if (lines == 0)
    return size;
  const auto least = size - std::min(size, most);
  std::vector<char> bytes(block);
  std::uint64_t seen = 0;
  for (auto end = size; end > least;) {
    const auto first = end - std::min<std::uint64_t>(block, end - least);
    auto n = read_at(file, {bytes.data(), static_cast<std::size_t>(end - first)}, first);
    if (first + n == size && n > 0 && bytes[n - 1] == '\n')
      --n; // it ends the last line, and begins none
    while (n > 0) {
      const auto* at = static_cast<const char*>(memrchr(bytes.data(), '\n', n));
      if (!at)
        break;
      n = static_cast<std::size_t>(at - bytes.data());
      if (++seen == lines)
        return first + n + 1;
    }
    end = first;
  }
  return least;
}

std::uint64_t hole_end(int file, std::uint64_t offset, std::uint64_t size) {
  if (offset >= size)
    return offset;
  const auto data = lseek(file, static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) // ENXIO: none from here on; others: no such question, so there are bytes
    return errno == ENXIO ? size : offset;
  return std::min(static_cast<std::uint64_t>(data), size);
}

std::string growing_tag(int file, std::uint64_t size) {
  struct stat about {};
  if (fstat(file, &about) != 0)
    throw errno_failure("look at the file");
  std::array<char, 64> changed{};
  std::snprintf(changed.data(), changed.size(), "-%llx%09lx\"",
                static_cast<unsigned long long>(about.st_mtim.tv_sec),
                static_cast<unsigned long>(about.st_mtim.tv_nsec));
  return "\"" + name_of(file, size) + changed.data();
}

bool still_begins_with(int file, std::uint64_t size, std::string_view tag) {
  unsigned long long inode = 0, named = 0;
  const std::string text{tag};
  if (std::sscanf(text.c_str(), "\"%llx-%llx-", &inode, &named) != 2 || named > size ||
      !text.ends_with('"'))
    return false;
  const auto name = "\"" + name_of(file, named) + "-";
  return text.starts_with(name);
}

} // namespace jobrunner
