// A folder of the test's own to unpack into, and what became of it.
#pragma once

#include "archive/extract.hpp"
#include "archive/remove.hpp"
#include "core/error.hpp"
#include "made_archive.hpp"

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <sys/stat.h>

namespace jobrunner::archive {

namespace fs = std::filesystem;

class extract_stage : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "extract_test.XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    home_ = pattern;
    fs::create_directory(home_ / "out");
    umask(022);
    reopen();
  }
  void TearDown() override {
    out_.reset();
    const unique_fd home{::open(home_.c_str(), O_RDONLY | O_DIRECTORY)};
    remove_below(home.get());
    fs::remove(home_);
  }

  void reopen() { out_.reset(::open((home_ / "out").c_str(), O_RDONLY | O_DIRECTORY)); }

  totals unpack(const std::string& bytes, kind what = kind::tar) {
    set_locale(what);
    const auto fd = file_with(bytes);
    return extract(fd.get(), what, out_.get(), -1, most_, beside_);
  }

  // The sentence with which the archive was refused, or "" if it was not.
  std::string refusal(const std::string& bytes, kind what = kind::tar,
                      errc as = errc::unprocessable) {
    fs::remove_all(home_ / "out");
    fs::create_directory(home_ / "out");
    reopen();
    try {
      unpack(bytes, what);
      return "";
    } catch (const failure& f) {
      EXPECT_EQ(f.code(), as) << f.what();
      return f.what();
    }
  }

  std::string content(const std::string& name) const {
    std::ifstream in{home_ / "out" / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  struct stat look(const std::string& name) const {
    struct stat st {};
    EXPECT_EQ(lstat((home_ / "out" / name).c_str(), &st), 0) << name;
    return st;
  }

  fs::path home_;
  unique_fd out_;
  limits most_{1U << 24U, 1000, 0};
  worker beside_;
};

inline std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  unsigned x = 1;
  for (auto& c : bytes) {
    x = x * 1103515245U + 12345U;
    c = static_cast<char>(x >> 16U);
  }
  return bytes;
}

} // namespace jobrunner::archive
