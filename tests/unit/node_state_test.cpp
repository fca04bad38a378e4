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

} // namespace
} // namespace jobrunner::slurm
