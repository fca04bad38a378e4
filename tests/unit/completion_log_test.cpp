#include "core/error.hpp"
#include "slurm/completion_log.hpp"

#include <unistd.h>

#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <vector>

namespace jobrunner::slurm {

namespace {

std::string line(int id, const std::string& name, const std::string& state = "COMPLETED") {
  return "JobId=" + std::to_string(id) + " UserId=u(999) GroupId=g(995) Name=" + name +
         " JobState=" + state + " Partition=main NodeList=n1 WorkDir=/ ExitCode=0:0 \n";
}

class lines_about_test : public testing::Test {
protected:
  ~lines_about_test() override {
    std::filesystem::remove(file_);
    std::filesystem::remove(before_);
  }

  std::string about(const std::string& log, std::vector<std::int64_t> ids) {
    std::ofstream{file_} << log;
    return lines_about(file_, ids);
  }

  const std::filesystem::path file_ = testing::TempDir() + "jobcomp." + std::to_string(::getpid());
  const std::filesystem::path before_ = file_.string() + ".1";
};

const std::string name = "jr-00000001-1111-4111-8111-111111111111";

TEST_F(lines_about_test, gives_the_lines_of_the_wanted_ids_and_no_others) {
  const auto log = line(1, name) + line(11, name) + "x" + line(1, name) + line(2, name) +
                   "JobId=x\n" + line(1, name, "FAILED");
  EXPECT_EQ(about(log, {1, 7}), line(1, name) + line(1, name, "FAILED"));
  EXPECT_EQ(about(log, {}), "");
  EXPECT_EQ(about("", {1}), "");
}

TEST_F(lines_about_test, leaves_out_lines_that_sacct_would_stumble_over) {
  const auto good = line(1, name);
  for (const auto& bad : {line(1, "evil"), line(1, "jr-short"), line(1, name + "x"),
                          good.substr(0, good.size() / 2) + "\n", // cut by a full disk
                          good.substr(0, good.size() - 1) + " JobState=COMPLETED ExitCode=0:0 \n"})
    EXPECT_EQ(about(bad + good, {1}), good) << bad;
}

TEST_F(lines_about_test, finds_those_of_the_log_before_too_and_first) {
  std::ofstream{before_} << line(1, name) << line(2, name);
  EXPECT_EQ(about(line(1, name, "FAILED"), {1}), line(1, name) + line(1, name, "FAILED"));
  EXPECT_EQ(about("", {2}), line(2, name));
}

TEST(lines_about, a_log_that_cannot_be_read_is_not_an_empty_one) {
  try {
    lines_about("/no/such/log", std::array<std::int64_t, 1>{1});
    FAIL() << "it was read";
  } catch (const failure& f) {
    EXPECT_EQ(f.code(), errc::unavailable);
  }
}

} // namespace

} // namespace jobrunner::slurm
