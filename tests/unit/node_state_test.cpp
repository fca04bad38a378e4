#include "slurm/node_state.hpp"

#include <gtest/gtest.h>

namespace jobrunner::slurm {
namespace {

TEST(takes_jobs, nodes_at_rest_and_at_work_do) {
  for (const char* state : {"IDLE", "MIXED", "ALLOCATED", "IDLE+PLANNED", "IDLE+COMPLETING",
                            "ALLOCATED+COMPLETING", "IDLE+CLOUD", "MIXED+WHATEVER_COMES"})
    EXPECT_TRUE(takes_jobs(state)) << state;
}

TEST(takes_jobs, nodes_that_are_down_drained_silent_or_unknown_do_not) {
  for (const char* state : {"", "DOWN", "DOWN*", "UNKNOWN", "UNKNOWN*", "IDLE*", "IDLE+DRAIN",
                            "ALLOCATED+DRAIN", "DOWN*+DRAIN", "IDLE+NOT_RESPONDING", "IDLE+MAINT",
                            "FUTURE", "DOWN+INVALID_REG", "IDLE+REBOOT_ISSUED", "MIXED+FAIL"})
    EXPECT_FALSE(takes_jobs(state)) << state;
}

TEST(trouble_of_nodes, one_good_node_is_enough) {
  EXPECT_EQ(trouble_of_nodes("NodeName=a CPUTot=2 State=DOWN* Reason=Not responding [slurm@2026]\n"
                             "NodeName=b CPUTot=2 State=MIXED ThreadsPerCore=1\n"),
            "");
}

TEST(trouble_of_nodes, why_the_first_does_not_is_said_in_slurms_words) {
  EXPECT_EQ(trouble_of_nodes("NodeName=n1 Arch=x86_64 RealMemory=1 State=DOWN* ThreadsPerCore=1 "
                             "Reason=Not responding [slurm@2026-11-25T10:00:00]\n"
                             "NodeName=n2 State=UNKNOWN\n"),
            "n1 is DOWN* (Not responding)");
  EXPECT_EQ(trouble_of_nodes("NodeName=n1 State=UNKNOWN+NOT_RESPONDING Weight=1\n"),
            "n1 is UNKNOWN+NOT_RESPONDING");
  const auto longest = trouble_of_nodes("NodeName=n1 State=DOWN Reason=" + std::string(5000, 'x'));
  EXPECT_LT(longest.size(), 300U);
}

TEST(trouble_of_nodes, no_node_is_trouble) {
  EXPECT_FALSE(trouble_of_nodes("").empty());
  EXPECT_FALSE(trouble_of_nodes("No nodes in the system\n").empty());
}

} // namespace
} // namespace jobrunner::slurm
