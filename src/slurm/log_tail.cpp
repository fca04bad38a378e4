#include "slurm/log_tail.hpp"

#include "core/beneath.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <sys/stat.h>

namespace jobrunner::slurm {

namespace {

constexpr std::size_t most_bytes = 4096;
constexpr std::ptrdiff_t most_lines = 20;

/// Bytes that are no UTF-8 become U+FFFD, and zero bytes (a hole) go.
std::string readable(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const auto size = utf8_length(bytes);
    if (size == 0)
      text += "\xef\xbf\xbd";
    else if (bytes[0] != '\0')
      text += bytes.substr(0, size);
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return text;
}

std::string read_end(const unique_fd& file) {
  struct stat about {};
  if (::fstat(file.get(), &about) != 0)
    return {};
  const auto first = std::max<off_t>(0, about.st_size - static_cast<off_t>(most_bytes));
  std::string bytes(most_bytes, '\0');
  const auto size = ::pread(file.get(), bytes.data(), bytes.size(), first);
  bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  if (first > 0) // not from the middle of a line, unless there is but one
    bytes.erase(0, std::min(bytes.size(), bytes.find('\n') + 1));
  return bytes;
}

} // namespace

std::string log_tail(const std::filesystem::path& root, const std::string& path) try {
  auto text = readable(read_end(open_beneath(root, path)));
  auto left = most_lines + (text.ends_with('\n') ? 1 : 0);
  for (auto at = text.size(); at > 0; --at)
    if (text[at - 1] == '\n' && --left == 0)
      return text.substr(at);
  return text;
} catch (const failure&) {
  return {};
}

} // namespace jobrunner::slurm
