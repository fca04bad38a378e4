#include "slurm/process_tree.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace jobrunner::slurm {

namespace fs = std::filesystem;

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> all;
  std::error_code gone;
  fs::directory_iterator thread{"/proc/" + std::to_string(parent) + "/task", gone};
  for (; thread != fs::directory_iterator{}; thread.increment(gone)) {
    std::ifstream file{thread->path() / "children"};
    for (pid_t pid = 0; file >> pid;)
      all.push_back(pid);
  }
  return all;
}

std::vector<pid_t> descendants_of(pid_t ancestor) {
  auto all = children_of(ancestor);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto more = children_of(all[i]);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

} // namespace jobrunner::slurm
