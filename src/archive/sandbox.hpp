// What this process gives up before it looks at an archive: a bug in libarchive's code should
// find nothing to take, nothing to start and nobody to talk to.
#pragma once

#include <cstdint>

namespace jobrunner::archive {

enum class task { extract, remove };

struct confinement {
  int folder = -1, list = -1;        // descriptors that stay open; -1: no list
  std::uint64_t max_file = 0;        // bytes
  std::uint64_t max_seconds = 86400; // of processor time
};

/// For good, for this process: no new privileges, no core, no other descriptors, a umask of 022,
/// limits on memory, descriptors, processor time and the size of a file, by Landlock no file
/// outside the folder, and for task::extract by seccomp no network, no other process and no mode
/// that gives rights. Throws failure{internal} if the kernel refuses what it has; a kernel without
/// Landlock or seccomp is left at that.
void confine(const confinement&, task what);

/// Nor processes. After confine() and after the threads that are needed. Throws failure{internal}.
void no_more_threads();

/// The parts of confine() that are Landlock and seccomp. Whether the kernel has them. Apart for
/// tests.
bool allow_only(int folder, task what);
bool forbid_calls();

} // namespace jobrunner::archive
