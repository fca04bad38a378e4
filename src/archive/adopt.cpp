#include "archive/adopt.hpp"

#include "core/beneath.hpp"
#include "core/error.hpp"
#include "core/file_list.hpp"
#include "core/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace jobrunner::archive {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece = 1U << 20U;
constexpr std::size_t longest_path = 1024;

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR)
      throw errno_failure("write a file of the dataset");
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
}

/// As many bytes as it has now: whoever still appends to it does not keep us busy.
void copy(int from, int to, std::uint64_t size) {
  if (ioctl(to, FICLONE, from) == 0)
    return;
  std::string buffer;
  while (size > 0) {
    auto n = buffer.empty() ? copy_file_range(from, nullptr, to, nullptr, size, 0) : -1;
    if (n < 0 && buffer.empty() && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP &&
        errno != ENOSYS)
      throw errno_failure("copy a file of the job's");
    if (n < 0) { // between these file systems the kernel does not copy by itself
      buffer.resize(piece);
      n = read(from, buffer.data(), std::min<std::uint64_t>(size, buffer.size()));
      if (n < 0)
        throw errno_failure("read a file of the job's");
      write_all(to, {buffer.data(), static_cast<std::size_t>(n)});
    }
    if (n == 0)
      return; // it has become shorter
    size -= static_cast<std::uint64_t>(n);
  }
}

/// What is hashed is what is kept: the copy.
listed_file hashed(int fd, const std::string& path) {
  listed_file file{path, 0, ""};
  sha256 hash;
  std::string buffer(piece, '\0');
  for (;;) {
    const auto n = pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(file.bytes));
    if (n < 0)
      throw errno_failure("read a file of the dataset");
    if (n == 0)
      break;
    hash.update(buffer.data(), static_cast<std::size_t>(n));
    file.bytes += static_cast<std::uint64_t>(n);
  }
  file.sha256 = hash.finish();
  return file;
}

void check_name(const std::string& path) {
  const auto control = [](unsigned char c) { return c < ' ' || c == 0x7f || c == '\\'; };
  if (path.size() > longest_path || !is_utf8(path) || std::ranges::any_of(path, control))
    throw failure(errc::unprocessable, "the file " + shown(path) +
                                           " has a name that no dataset may have: longer than 1024 "
                                           "bytes, with control characters or a backslash");
}

listed_file take(const fs::path& from, const std::string& path, const fs::path& data) {
  check_name(path);
  unique_fd source;
  try {
    source = open_beneath(from, path);
  } catch (const failure& f) {
    throw failure(errc::unprocessable, "the file " + shown(path) + ": " + f.what());
  }
  struct stat about {};
  if (fstat(source.get(), &about) != 0)
    throw errno_failure("look at a file of the job's");
  const auto target = data / path;
  fs::create_directories(target.parent_path());
  const unique_fd made{
      ::open(target.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!made)
    throw errno_failure("make a file of the dataset");
  copy(source.get(), made.get(), static_cast<std::uint64_t>(about.st_size));
  if (fchmod(made.get(), (about.st_mode & 0111U) != 0 ? 0555 : 0444) != 0)
    throw errno_failure("close a file of the dataset");
  return hashed(made.get(), path);
}

void close_folders(const fs::path& data) {
  for (const auto& entry : fs::recursive_directory_iterator{data})
    if (entry.is_directory())
      fs::permissions(entry.path(), fs::perms{0555});
}

} // namespace

ingested adopt(const fs::path& from, const std::vector<std::string>& paths,
               const fs::path& staging) {
  const auto data = staging / "data";
  fs::create_directory(data);
  fs::permissions(data, fs::perms{0770});
  const unique_fd list{::open((staging / "files").c_str(),
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640)};
  if (!list)
    throw errno_failure("make the list of the dataset's files");
  ingested done{"", true, 0};
  sha256 names;
  for (const auto& path : paths) {
    const auto file = take(from, path, data);
    const auto line = to_line(file);
    write_all(list.get(), line);
    names.update(line.data(), line.size());
    done.bytes += static_cast<std::int64_t>(file.bytes);
  }
  close_folders(data);
  if (syncfs(list.get()) != 0)
    throw errno_failure("sync the dataset's files");
  done.sha256 = names.finish();
  return done;
}

} // namespace jobrunner::archive
