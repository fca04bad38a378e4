#include "core/file_walk.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/unique_fd.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <sys/stat.h>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

constexpr int deepest = 64;
constexpr std::size_t longest_path = 4095; // PATH_MAX without its NUL
constexpr int as_a_folder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

/// Whether a folder could not be opened for want of something of ours, and may be another time.
bool worth_another_try() {
  return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO;
}

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode))
    return "a symbolic link";
  if (S_ISFIFO(mode))
    return "a FIFO";
  if (S_ISSOCK(mode))
    return "a socket";
  return S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "no regular file";
}

struct close_folder {
  void operator()(DIR* d) const noexcept { closedir(d); }
};

class walker {
public:
  walker(walk_limits limits, const std::function<bool(std::string_view)>& skip,
         std::function<void(found_file)> take)
      : limits_(limits),
        left_(limits),
        skip_(skip),
        keep_(std::move(take)) {}

  void start(const fs::path& folder) {
    unique_fd root{::open(folder.c_str(), as_a_folder)};
    if (!root && worth_another_try())
      throw errno_failure("open a job's result folder");
    if (!root)
      throw failure(errc::not_found, "the job's result folder is not there any more");
    descend(std::move(root), "", 0);
  }

  problem_list problems;
  std::string cut;

private:
  void descend(unique_fd folder, const std::string& prefix, int depth) {
    const int fd = folder.get();
    const std::unique_ptr<DIR, close_folder> listing{fdopendir(fd)};
    if (!listing)
      throw errno_failure("list a job's result folder");
    folder.release(); // closedir closes it
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(listing.get());
      if (!entry) {
        if (errno != 0)
          throw errno_failure("list a job's result folder");
        return;
      }
      const std::string name = entry->d_name;
      if (name == "." || name == "..")
        continue;
      if (left_.entries == 0 || left_.path_bytes < prefix.size() + name.size()) {
        stop();
        return;
      }
      --left_.entries;
      take(fd, name, prefix, depth);
      if (!cut.empty())
        return;
    }
  }

  void take(int fd, const std::string& name, const std::string& prefix, int depth) {
    struct stat about {};
    if (fstatat(fd, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0)
      return; // gone meanwhile
    const auto path = prefix + name;
    const bool is_folder = S_ISDIR(about.st_mode);
    if (is_folder && skip_ && skip_(path + "/"))
      return;
    if (!is_utf8(name))
      return leave_out(path, "has a name that is not UTF-8");
    if (path.size() > longest_path)
      return leave_out(path, "has a path longer than 4095 bytes");
    if (S_ISREG(about.st_mode)) {
      left_.path_bytes -= path.size();
      keep_({path, std::int64_t{about.st_size}, stamp_of(about)});
    } else if (!is_folder) {
      leave_out(path, std::string{"is "} + kind_of(about.st_mode));
    } else if (depth == deepest) {
      leave_out(path, "is deeper than 64 folders");
    } else if (unique_fd inner{openat(fd, name.c_str(), as_a_folder)}) {
      descend(std::move(inner), path + "/", depth + 1);
    } else if (worth_another_try()) {
      throw errno_failure("open a folder below a job's result folder");
    } else {
      leave_out(path, std::string{"cannot be opened: "} + std::strerror(errno));
    }
  }

  void leave_out(const std::string& path, const std::string& why) {
    problems.add(shown(path) + " " + why + ": left out");
  }

  void stop() {
    cut = left_.entries == 0
              ? "there are more than " + std::to_string(limits_.entries) +
                    " files and folders: the others are left out"
              : "the paths of all files are longer than " + std::to_string(limits_.path_bytes) +
                    " bytes together: the other files are left out";
  }

  const walk_limits limits_;
  walk_limits left_;
  const std::function<bool(std::string_view)>& skip_;
  const std::function<void(found_file)> keep_;
};

} // namespace

walk_result look_through(const fs::path& folder, walk_limits limits,
                         const std::function<bool(std::string_view)>& skip) {
  walk_result found;
  walker w{limits, skip, [&](found_file f) { found.files.push_back(std::move(f)); }};
  w.start(folder);
  found.problems = std::move(w.problems);
  found.cut = std::move(w.cut);
  if (!found.cut.empty())
    log("walk", "more_than_the_limit", {{"folder", folder.string()}, {"why", found.cut}});
  std::ranges::sort(found.files, {}, &found_file::path);
  return found;
}

bool look_again(const std::vector<found_file>& files, const fs::path& folder, walk_limits limits,
                const std::function<bool(std::string_view)>& skip) {
  std::size_t same = 0, others = 0;
  walker w{limits, skip, [&](const found_file& f) {
             const auto known = std::ranges::lower_bound(files, f.path, {}, &found_file::path);
             const bool is_same =
                 known != files.end() && known->path == f.path && known->stamp == f.stamp;
             ++(is_same ? same : others);
           }};
  w.start(folder);
  return same == files.size() && others == 0 && w.cut.empty();
}

std::vector<found_file> walk(const fs::path& folder, std::size_t limit) {
  return look_through(folder, {limit, std::numeric_limits<std::size_t>::max()}).files;
}

} // namespace jobrunner
