// What a real Slurm 22.05 printed.
#pragma once

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>

namespace jobrunner {

inline std::string fixture(const std::string& name) {
  std::ifstream file{JOBRUNNER_FIXTURES "/slurm/" + name, std::ios::binary};
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace jobrunner
