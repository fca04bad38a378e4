#include "archive/name.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace jobrunner::archive {

kind kind_of(std::string_view filename) {
  constexpr std::array<std::string_view, 11> tars{".tar",  ".tar.gz",   ".tgz", ".tar.xz",
                                                  ".txz",  ".tar.lzma", ".tlz", ".tar.zst",
                                                  ".tzst", ".tar.bz2",  ".tbz2"};
  std::string lower{filename.substr(filename.rfind('/') + 1)};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  // A name that is nothing but an ending is a hidden file, not an archive.
  const auto ends = [&](std::string_view ending) {
    return lower.size() > ending.size() && lower.ends_with(ending);
  };
  if (ends(".zip"))
    return kind::zip;
  return std::any_of(tars.begin(), tars.end(), ends) ? kind::tar : kind::none;
}

} // namespace jobrunner::archive
