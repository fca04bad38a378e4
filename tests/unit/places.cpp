// The only file that is compiled anew in another folder: the others come from the compiler's cache.
#include "places.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace jobrunner {

std::filesystem::path programs_folder() {
  return JOBRUNNER_PROGRAMS;
}

std::string fixture(const std::string& name) {
  std::ifstream file{std::filesystem::path{JOBRUNNER_FIXTURES} / name, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (text.empty())
    throw std::runtime_error("no fixture " + name);
  return text;
}

} // namespace jobrunner
