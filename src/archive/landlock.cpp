// Landlock through its system calls (landlock(7)). The interface is written out here because the
// headers of Debian 12 stop at its third version, and the kernel may know more.
#include "archive/sandbox.hpp"
#include "core/error.hpp"
#include "core/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sys/syscall.h>

namespace jobrunner::archive {
namespace {

struct ruleset {
  std::uint64_t files = 0;   // since version 1
  std::uint64_t network = 0; // since version 4
  std::uint64_t scoped = 0;  // since version 6
};

struct [[gnu::packed]] path_rule {
  std::uint64_t allowed = 0;
  std::int32_t folder = -1;
};

constexpr unsigned ask_version = 1;
constexpr int path_beneath = 1;

constexpr std::uint64_t bit(unsigned n) {
  return std::uint64_t{1} << n;
}
constexpr std::uint64_t write_file = bit(1), read_dir = bit(3), remove_dir = bit(4),
                        remove_file = bit(5), make_dir = bit(7), make_reg = bit(8),
                        truncate_file = bit(14);

// Rights that each version of the interface added: 13 in the first, then refer, truncate,
// none (network), ioctl on devices.
constexpr std::array<std::uint64_t, 6> known{0,           bit(13) - 1, bit(14) - 1,
                                             bit(15) - 1, bit(15) - 1, bit(16) - 1};

ruleset everything(long version) {
  const auto v = static_cast<std::size_t>(version);
  ruleset all;
  all.files = known.at(v < known.size() ? v : known.size() - 1);
  all.network = v >= 4 ? bit(0) | bit(1) : 0; // bind and connect of TCP
  all.scoped = v >= 6 ? bit(0) | bit(1) : 0;  // abstract sockets and signals to others
  return all;
}

void allow(int rules, int folder, std::uint64_t rights) {
  const path_rule rule{rights, folder};
  if (syscall(SYS_landlock_add_rule, rules, path_beneath, &rule, 0) != 0)
    throw errno_failure("confining the extractor to its folder");
}

} // namespace

bool allow_only(int folder, task what) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, ask_version);
  if (version < 1)
    return false; // an old kernel, or switched off at boot, or hidden by a container's filter

  const auto all = everything(version);
  const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const unique_fd rules{static_cast<int>(syscall(SYS_landlock_create_ruleset, &all, size, 0))};
  if (!rules)
    throw errno_failure("confining the extractor");
  const auto needed = what == task::extract
                          ? write_file | read_dir | make_dir | make_reg | truncate_file
                          : read_dir | remove_dir | remove_file;
  allow(rules.get(), folder, needed & all.files);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const unique_fd proc{::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)}; // for their reports
  allow(rules.get(), proc.get(), bit(2) | read_dir);
#endif
  if (syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0)
    throw errno_failure("confining the extractor");
  return true;
}

} // namespace jobrunner::archive
