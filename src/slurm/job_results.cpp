#include "slurm/job_results.hpp"

#include "core/unique_fd.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace jobrunner::slurm {

namespace {

const std::string aside_prefix = "attempt-";

struct close_folder {
  void operator()(DIR* d) const noexcept { ::closedir(d); }
};

// Without the flag the call would follow a link that has just replaced the file. Where the system
// cannot do it so (no /proc), the job's own leftover process could at most change its own files.
void set_mode(int folder, const char* name, mode_t mode) {
  if (::fchmodat(folder, name, mode, AT_SYMLINK_NOFOLLOW) != 0 && errno == EOPNOTSUPP)
    static_cast<void>(::fchmodat(folder, name, mode, 0));
}

void share_below(int parent, const char* name, int depth) {
  struct stat about {};
  if (::fstatat(parent, name, &about, AT_SYMLINK_NOFOLLOW) != 0 || about.st_uid != ::geteuid())
    return;
  const bool is_folder = S_ISDIR(about.st_mode);
  if (!is_folder && !S_ISREG(about.st_mode))
    return;
  const mode_t old_mode = about.st_mode & 07777;
  // A folder that its owner cannot read could not be walked, nor ever be cleared away.
  const mode_t mode = old_mode | (is_folder ? S_IRWXU | S_IRGRP | S_IXGRP : S_IRUSR | S_IRGRP);
  if (mode != old_mode)
    set_mode(parent, name, mode);
  if (!is_folder || depth == 0)
    return;
  unique_fd folder{::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  const std::unique_ptr<DIR, close_folder> entries{folder ? ::fdopendir(folder.get()) : nullptr};
  if (!entries)
    return;
  const int fd = folder.release(); // the stream's now
  while (const auto* entry = ::readdir(entries.get())) {
    const std::string_view entry_name{entry->d_name};
    if (entry_name != "." && entry_name != "..")
      share_below(fd, entry->d_name, depth - 1);
  }
}

} // namespace

void share_with_group(const std::filesystem::path& folder) {
  constexpr int deepest = 200; // each level holds a descriptor
  share_below(AT_FDCWD, folder.c_str(), deepest);
}

bool set_aside(const std::filesystem::path& folder, std::int64_t attempt) {
  namespace fs = std::filesystem;
  share_with_group(folder); // it died before it could do so; and a closed folder cannot be moved
  const auto aside = folder / (aside_prefix + std::to_string(attempt));
  std::error_code ec;
  fs::create_directory(aside, ec);
  bool all = !ec;
  std::vector<fs::path> left;
  for (fs::directory_iterator it{folder, ec}, end; !ec && it != end; it.increment(ec))
    if (!is_set_aside(it->path().filename().string() + "/", attempt + 1))
      left.push_back(it->path());
  all = all && !ec;
  for (const auto& path : left) {
    fs::rename(path, aside / path.filename(), ec);
    all = all && !ec;
  }
  static_cast<void>(::chmod(aside.c_str(), 02770));
  return all;
}

bool is_set_aside(std::string_view path, std::int64_t attempt) {
  if (!path.starts_with(aside_prefix))
    return false;
  path.remove_prefix(aside_prefix.size());
  std::int64_t n = 0;
  const auto* end = path.data() + path.size();
  const auto [rest, ec] = std::from_chars(path.data(), end, n);
  return ec == std::errc{} && rest != end && *rest == '/' && n > 0 && n < attempt;
}

} // namespace jobrunner::slurm
