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
/// limits on memory, descriptors, processor time and the size of a file, and by Landlock no file
/// outside the folder and no network. Throws failure{internal} if the kernel refuses what it has; a
/// kernel without Landlock is left at that.
void confine(const confinement&, task what);

/// Nor processes. After confine() and after the threads that are needed. Throws failure{internal}.
void no_more_threads();

/// The part of confine() that is Landlock. Returns whether the kernel has it. Apart for tests.
bool allow_only(int folder, task what);

} // namespace jobrunner::archive
