#include "slurm/state.hpp"

#include <gtest/gtest.h>

namespace jobrunner::slurm {

namespace {

TEST(long_state, every_spelling_of_slurm_becomes_the_long_form) {
  EXPECT_EQ(long_state("CANCELLED by 0"), "CANCELLED");
  EXPECT_EQ(long_state("CANCELLED+"), "CANCELLED");
  EXPECT_EQ(long_state("CD"), "COMPLETED");
  EXPECT_EQ(long_state("CG"), "COMPLETING");
  EXPECT_EQ(long_state("F"), "FAILED");
  EXPECT_EQ(long_state("OOM"), "OUT_OF_MEMORY");
  EXPECT_EQ(long_state("S"), "SUSPENDED");
  EXPECT_EQ(long_state("RUNNING"), "RUNNING");
  EXPECT_EQ(long_state("OUT_OF_MEMORY"), "OUT_OF_MEMORY");
}

TEST(long_state, what_is_unknown_passes_without_what_could_do_harm) {
  EXPECT_EQ(long_state("LAUNCH_FAILED2"), "LAUNCH_FAILED2");
  EXPECT_EQ(long_state("NEW\x1b[31m|<\"\n"), "NEW31");
  EXPECT_EQ(long_state(""), "");
}

TEST(is_final, holds_for_exactly_the_states_that_stay) {
  for (const auto* s : {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL",
                        "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"})
    EXPECT_TRUE(is_final(s)) << s;
  for (const auto* s :
       {"PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD",
        "RESIZING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUBMITTED", "LOST", "", "CANCELLED by 0"})
    EXPECT_FALSE(is_final(s)) << s;
}

TEST(explain, nothing_to_explain_is_empty) {
  EXPECT_EQ(explain("COMPLETED", "", 0, 0), "");
  EXPECT_EQ(explain("RUNNING", "", 0, 0), "");
  EXPECT_EQ(explain("PENDING", "None", 0, 0), "");
}

TEST(explain, a_waiting_job_says_for_what) {
  EXPECT_EQ(explain("PENDING", "Resources", 0, 0), "waiting for free resources");
  EXPECT_EQ(explain("PENDING", "ReqNodeNotAvail, UnavailableNodes:n1", 0, 0),
            "the node it needs is not available");
  EXPECT_EQ(explain("PENDING", "QOSMaxJobsPerUserLimit", 0, 0),
            "Slurm's reason: QOSMaxJobsPerUserLimit");
}

TEST(explain, a_failed_job_says_how_it_ended) {
  EXPECT_EQ(explain("FAILED", "NonZeroExitCode", 3, 0), "the command ended with exit code 3");
  EXPECT_EQ(explain("FAILED", "", 3, 0), "the command ended with exit code 3");
  EXPECT_EQ(explain("FAILED", "NonZeroExitCode", 137, 0), "ended by signal 9");
  EXPECT_EQ(explain("FAILED", "NonZeroExitCode", 255, 0), "the command ended with exit code 255");
  // What Slurm 22.05 says of a batch script that a signal ended, and of a log it cannot open.
  EXPECT_EQ(explain("FAILED", "JobLaunchFailure", 0, 9), "ended by signal 9");
  EXPECT_NE(explain("FAILED", "JobLaunchFailure", 15, 53).find("log file"), std::string::npos);
  EXPECT_NE(explain("FAILED", "NonZeroExitCode", 127, 0).find("could not be started"),
            std::string::npos);
  EXPECT_NE(explain("FAILED", "BadConstraints", 0, 1).find("no node"), std::string::npos);
}

TEST(explain, every_other_bad_end_has_words) {
  for (const auto* s :
       {"TIMEOUT", "DEADLINE", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "CANCELLED"})
    EXPECT_NE(explain(s, "", 0, 0), "") << s;
}

} // namespace

} // namespace jobrunner::slurm
