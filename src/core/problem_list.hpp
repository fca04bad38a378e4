// What is wrong with many things, in words: so many sentences as a person reads, and how many there
// were.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace jobrunner {

struct problem_list {
  static constexpr std::size_t most_kept = 100;
  std::vector<std::string> first; // of them
  std::int64_t total = 0;

  void add(std::string sentence) {
    ++total;
    if (first.size() < most_kept)
      first.push_back(std::move(sentence));
  }
};

} // namespace jobrunner
