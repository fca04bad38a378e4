#include "core/file_list.hpp"

#include "core/error.hpp"
#include "core/hex.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

namespace jobrunner {

namespace {

constexpr std::size_t piece = 64U << 10U;
constexpr std::size_t longest_line = 4096; // a path has at most 1024 bytes
constexpr std::size_t hash_digits = 64;

std::optional<listed_file> parse(std::string_view line) {
  listed_file f;
  const auto hash = line.substr(0, hash_digits);
  if (line.size() <= hash_digits || line[hash_digits] != ' ' || !is_sha256(std::string{hash}))
    return std::nullopt;
  line.remove_prefix(hash_digits + 1);
  const char* const end = line.data() + line.size();
  const auto [stop, wrong] = std::from_chars(line.data(), end, f.bytes);
  if (wrong != std::errc{} || stop == end || *stop != ' ')
    return std::nullopt;
  f.sha256 = hash;
  f.path.assign(stop + 1, end);
  return f;
}

} // namespace

std::string to_line(const listed_file& f) {
  return f.sha256 + ' ' + std::to_string(f.bytes) + ' ' + f.path + '\n';
}

file_list::file_list(const std::filesystem::path& file)
    : file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {
  if (!file_ && errno == ENOENT)
    throw failure(errc::not_found, "there is no list of the files");
  if (!file_)
    throw errno_failure("open the list of files");
}

void file_list::go_on(std::uint64_t at) {
  char before = '\n';
  if (at > 0 && pread(file_.get(), &before, 1, static_cast<off_t>(at - 1)) != 1)
    before = 0;
  if (before != '\n')
    throw failure(errc::invalid, "no file begins at " + std::to_string(at));
  ahead_.clear();
  at_ = at;
}

std::optional<listed_file> file_list::next() {
  auto end = ahead_.find('\n');
  while (end == std::string::npos && ahead_.size() <= longest_line) {
    const auto have = ahead_.size();
    ahead_.resize(have + piece);
    const auto n = pread(file_.get(), ahead_.data() + have, piece, static_cast<off_t>(at_ + have));
    if (n < 0)
      throw errno_failure("read the list of files");
    ahead_.resize(have + static_cast<std::size_t>(n));
    if (n == 0)
      break;
    end = ahead_.find('\n', have);
  }
  if (ahead_.empty())
    return std::nullopt;
  auto file = end == std::string::npos ? std::nullopt : parse({ahead_.data(), end});
  if (!file)
    throw failure(errc::internal, "the list of files is damaged at byte " + std::to_string(at_));
  at_ += end + 1;
  ahead_.erase(0, end + 1);
  return file;
}

} // namespace jobrunner
