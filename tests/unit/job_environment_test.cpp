#include "slurm/job_environment.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

namespace jobrunner::slurm {

namespace {

TEST(job_environment,
     it_has_what_the_server_promises_what_slurm_says_and_what_the_client_asked_for) {
  const spec s{"u", {"true"}, "/data", "/results", "{}", "/bin", {"MINE=a=b,c\n$(id)", "EMPTY="}};
  constexpr std::array<const char*, 6> from_slurm{"SLURM_JOB_ID=7", "JR_AUTH_TOKEN=secret",
                                                  "LD_PRELOAD=x",   "SLURM_TIME_FORMAT=%s",
                                                  "PATH=/evil",     nullptr};
  const auto all = job_environment(s, "/home", "runner", from_slurm.data());
  const auto has = [&](const char* v) { return std::ranges::count(all, v) == 1; };
  EXPECT_TRUE(has("PATH=/bin"));
  EXPECT_TRUE(has("RESULT_DIR=/results"));
  EXPECT_TRUE(has("SLURM_JOB_ID=7"));
  EXPECT_TRUE(has("MINE=a=b,c\n$(id)"));
  EXPECT_TRUE(has("EMPTY="));
  EXPECT_EQ(all.size(), 9U + 1U + 2U);
}

} // namespace

} // namespace jobrunner::slurm
