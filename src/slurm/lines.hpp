// Line by line through what Slurm's commands print. For this folder alone.
#pragma once

#include <algorithm>
#include <string_view>

namespace jobrunner::slurm {

template <class F>
void each_line(std::string_view text, F use) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

} // namespace jobrunner::slurm
