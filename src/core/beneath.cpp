#include "core/beneath.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <fcntl.h>

#include <cerrno>
#include <linux/openat2.h>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <vector>

namespace jobrunner {

namespace {

constexpr std::size_t path_max = 4096; // PATH_MAX, with its NUL
constexpr int how_to_read = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

failure no_such_file(std::string_view relative) {
  return {errc::not_found, "there is no file " + shown(relative)};
}

/// The names in `relative`, without "." and doubled slashes, so that openat2 and the walk cannot
/// differ about what a path means.
std::vector<std::string> names_of(std::string_view relative) {
  const auto malformed = [&](const char* why) {
    return failure{errc::invalid, "the path " + shown(relative) + " " + why};
  };
  if (relative.empty())
    throw malformed("is empty");
  if (relative.find('\0') != std::string_view::npos)
    throw malformed("contains a NUL");
  if (relative.front() == '/')
    throw malformed("is absolute; it must be relative to its folder");
  if (relative.size() >= path_max)
    throw malformed("is longer than 4095 bytes");
  std::vector<std::string> names;
  bool folder = false; // the last part says that a folder is meant
  for (std::size_t at = 0; at <= relative.size();) {
    const auto end = std::min(relative.find('/', at), relative.size());
    const auto name = relative.substr(at, end - at);
    if (name == "..")
      throw malformed("contains \"..\"");
    folder = name.empty() || name == ".";
    if (!folder)
      names.emplace_back(name);
    at = end + 1;
  }
  if (folder)
    throw no_such_file(relative);
  return names;
}

bool is_our_fault(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == EIO || error == EBADF;
}

/// `opened` if it is a regular file; errno tells why it was not opened.
unique_fd checked(unique_fd opened, std::string_view relative) {
  if (!opened && is_our_fault(errno))
    throw errno_failure("opening " + shown(relative));
  struct stat about {};
  if (!opened || ::fstat(opened.get(), &about) != 0 || !S_ISREG(about.st_mode))
    throw no_such_file(relative);
  return opened;
}

unique_fd walk(int root, const std::vector<std::string>& names, std::string_view relative) {
  unique_fd folder;
  int at = root;
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    // O_PATH: like openat2 it needs no right to list a folder, only to pass through.
    unique_fd next{::openat(at, names[i].c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!next)
      return checked(std::move(next), relative);
    folder = std::move(next);
    at = folder.get();
  }
  return checked(unique_fd{::openat(at, names.back().c_str(), how_to_read | O_NOFOLLOW)}, relative);
}

} // namespace

unique_fd walk_beneath(int root, std::string_view relative) {
  return walk(root, names_of(relative), relative);
}

unique_fd open_beneath(const std::filesystem::path& root, std::string_view relative) {
  const auto names = names_of(relative);
  const unique_fd folder{::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!folder)
    return checked({}, relative);
  std::string clean;
  for (const auto& name : names)
    clean += clean.empty() ? name : "/" + name;
  open_how how{};
  how.flags = how_to_read;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  unique_fd opened{
      static_cast<int>(::syscall(SYS_openat2, folder.get(), clean.c_str(), &how, sizeof how))};
  // EPERM is what the seccomp filters of older container engines answer.
  if (!opened && (errno == ENOSYS || errno == EPERM))
    return walk(folder.get(), names, relative);
  return checked(std::move(opened), relative);
}

} // namespace jobrunner
