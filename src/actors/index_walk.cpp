#include "actors/index_walk.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/unique_fd.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <sys/stat.h>

namespace jobrunner {

namespace {

constexpr int deepest = 64;
constexpr int as_a_folder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

/// Whether a folder could not be opened for want of something of ours, and may be another time.
bool worth_another_try() {
  return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO;
}

struct close_folder {
  void operator()(DIR* d) const noexcept { closedir(d); }
};

class walker {
public:
  explicit walker(std::size_t limit) : left_(limit) {}

  void descend(unique_fd folder, const std::string& prefix, int depth) {
    const int fd = folder.get();
    const std::unique_ptr<DIR, close_folder> listing{fdopendir(fd)};
    if (!listing)
      throw errno_failure("list a job's result folder");
    folder.release(); // closedir closes it
    while (const dirent* entry = readdir(listing.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == ".." || !is_utf8(name))
        continue;
      if (left_ == 0) {
        cut = true;
        return;
      }
      --left_;
      struct stat about {};
      if (fstatat(fd, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0)
        continue; // gone meanwhile
      if (S_ISREG(about.st_mode))
        files.push_back({prefix + name, std::int64_t{about.st_size}});
      else if (S_ISDIR(about.st_mode) && depth < deepest) {
        if (unique_fd inner{openat(fd, name.c_str(), as_a_folder)})
          descend(std::move(inner), prefix + name + "/", depth + 1);
        else if (worth_another_try())
          throw errno_failure("open a folder below a job's result folder");
      }
    }
  }

  std::vector<found_file> files;
  bool cut = false; // there is more

private:
  std::size_t left_;
};

} // namespace

std::vector<found_file> walk(const std::filesystem::path& folder, std::size_t limit) {
  unique_fd root{::open(folder.c_str(), as_a_folder)};
  if (!root && worth_another_try())
    throw errno_failure("open a job's result folder");
  if (!root)
    throw failure(errc::not_found, "the job's result folder is not there any more");
  walker w{limit};
  w.descend(std::move(root), "", 0);
  if (w.cut)
    log("indexer", "more_files_than_the_limit",
        {{"folder", folder.string()}, {"limit", std::to_string(limit)}});
  std::ranges::sort(w.files, {}, &found_file::path);
  return std::move(w.files);
}

} // namespace jobrunner
