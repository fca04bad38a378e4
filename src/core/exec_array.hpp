// Strings as execve(2) and posix_spawn(3) want them.
#pragma once

#include <string>
#include <vector>

namespace jobrunner {

/// Pointers into `strings`, which must outlive them, and a null pointer at the end.
inline std::vector<char*> exec_array(std::vector<std::string>& strings) {
  std::vector<char*> all;
  all.reserve(strings.size() + 1);
  for (auto& s : strings)
    all.push_back(s.data());
  all.push_back(nullptr);
  return all;
}

} // namespace jobrunner
