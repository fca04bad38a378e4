#include "archive/remove.hpp"

#include "archive/entry_name.hpp"
#include "core/error.hpp"
#include "core/unique_fd.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace jobrunner::archive {
namespace {

constexpr unsigned deepest = 200; // descriptors held; extraction stops at max_depth folders

struct close_dir {
  void operator()(DIR* p) const noexcept { closedir(p); }
};

class remover {
public:
  explicit remover(dev_t device) noexcept : device_(device) {}

  void empty(int folder, const std::string& path, unsigned depth);
  totals done() const;

private:
  void one(int folder, const std::string& name, const std::string& path, unsigned depth);
  void sub_folder(int folder, const std::string& name, const std::string& path, unsigned depth);
  void stays(const std::string& path, const std::string& why);

  dev_t device_;
  totals removed_;
  std::string first_left_;
};

// All names first: what readdir() returns while entries go is undefined for some file systems.
std::vector<std::string> names_in(int folder) {
  const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, close_dir> listing{copy < 0 ? nullptr : fdopendir(copy)};
  std::vector<std::string> names;
  while (const dirent* e = listing ? readdir(listing.get()) : nullptr) {
    const std::string name = static_cast<const char*>(e->d_name);
    if (name != "." && name != "..")
      names.push_back(name);
  }
  return names;
}

unique_fd open_folder(int at, const char* name) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  unique_fd found{openat(at, name, flags)};
  if (!found && errno == EACCES && fchmodat(at, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
    found.reset(openat(at, name, flags));
  return found;
}

void remover::stays(const std::string& path, const std::string& why) {
  if (first_left_.empty())
    first_left_ = shown(path) + " cannot be removed: " + why;
}

void remover::sub_folder(int folder, const std::string& name, const std::string& path,
                         unsigned depth) {
  const auto sub = open_folder(folder, name.c_str());
  struct stat st {};
  if (!sub || fstat(sub.get(), &st) != 0)
    return stays(path, errno_failure("opening it").what());
  if (st.st_dev != device_)
    return stays(path, "it is on another file system");
  if (depth >= deepest)
    return stays(path, "it is nested too deep");
  fchmod(sub.get(), 0700); // where it is not ours, what it holds may still be removable
  empty(sub.get(), path, depth + 1);
  if (unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0)
    stays(path, errno_failure("removing the folder").what());
}

void remover::one(int folder, const std::string& name, const std::string& path, unsigned depth) {
  struct stat st {};
  if (fstatat(folder, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
    return stays(path, errno_failure("looking at it").what());
  if (S_ISDIR(st.st_mode))
    return sub_folder(folder, name, path, depth);
  if (unlinkat(folder, name.c_str(), 0) != 0)
    return stays(path, errno_failure("removing it").what());
  ++removed_.files;
  removed_.bytes += S_ISREG(st.st_mode) ? static_cast<std::uint64_t>(st.st_size) : 0;
}

void remover::empty(int folder, const std::string& path, unsigned depth) {
  const auto above = path.empty() ? "" : path + "/";
  for (const auto& name : names_in(folder))
    one(folder, name, above + name, depth);
}

totals remover::done() const {
  if (!first_left_.empty())
    throw failure{errc::internal, first_left_};
  return removed_;
}

} // namespace

totals remove_below(int top) {
  struct stat st {};
  if (fstat(top, &st) != 0)
    throw errno_failure("looking at the folder");
  remover all{st.st_dev};
  all.empty(top, "", 0);
  return all.done();
}

} // namespace jobrunner::archive
