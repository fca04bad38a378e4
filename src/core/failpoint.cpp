#include "core/failpoint.hpp"

#ifdef JOBRUNNER_FAILPOINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

namespace jobrunner {

void failpoint(const char* name) {
  static const char* const set = std::getenv("JR_FAILPOINT");
  if (!set)
    return;
  const std::string wanted = set;
  const auto colon = wanted.find(':');
  if (wanted.compare(0, colon, name) != 0)
    return;
  static std::atomic<int> left{colon == std::string::npos ? 1
                                                          : std::atoi(wanted.c_str() + colon + 1)};
  if (--left == 0)
    std::raise(SIGKILL);
}

} // namespace jobrunner

#endif
