// Every state of Slurm's, from its own words to what a client sees: the table of ARCHITECTURE.md.
// The fixtures are what a real Slurm 22.05 printed.
#include "actors/job_progress.hpp"
#include "slurm/parse.hpp"
#include "slurm/state.hpp"
#include "slurm_fixture.hpp"
#include "temp_folder.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <set>

namespace jobrunner {

namespace {

struct meaning {
  std::string_view code, state;
  bool final = false, explained = false; // explained: always says why, in words
};

// squeue(1), "JOB STATE CODES", all of them.
constexpr std::array meanings{
    meaning{"BF", "BOOT_FAIL", true, true},       meaning{"CA", "CANCELLED", true, true},
    meaning{"CD", "COMPLETED", true, false},      meaning{"CF", "CONFIGURING", false, false},
    meaning{"CG", "COMPLETING", false, false},    meaning{"DL", "DEADLINE", true, true},
    meaning{"F", "FAILED", true, true},           meaning{"NF", "NODE_FAIL", true, true},
    meaning{"OOM", "OUT_OF_MEMORY", true, true},  meaning{"PD", "PENDING", false, false},
    meaning{"PR", "PREEMPTED", true, true},       meaning{"R", "RUNNING", false, false},
    meaning{"RD", "RESV_DEL_HOLD", false, false}, meaning{"RF", "REQUEUE_FED", false, false},
    meaning{"RH", "REQUEUE_HOLD", false, false},  meaning{"RQ", "REQUEUED", false, false},
    meaning{"RS", "RESIZING", false, false},      meaning{"RV", "REVOKED", true, false},
    meaning{"S", "SUSPENDED", false, false},      meaning{"SE", "SPECIAL_EXIT", false, false},
    meaning{"SI", "SIGNALING", false, false},     meaning{"SO", "STAGE_OUT", false, false},
    meaning{"ST", "STOPPED", false, false},       meaning{"TO", "TIMEOUT", true, true}};

const meaning& meaning_of(std::string_view state) {
  const auto* found = std::ranges::find(meanings, state, &meaning::state);
  if (found == meanings.end())
    throw std::runtime_error("no meaning of " + std::string{state});
  return *found;
}

struct states : testing::Test {
  temp_folder folder;

  job shown(const slurm::report& r) {
    job was;
    was.id = r.id;
    was.state = "before";
    auto next = progress(was, r, folder.path());
    EXPECT_TRUE(next);
    return next.value_or(was);
  }

  void check(const slurm::report& r) {
    const auto& means = meaning_of(r.state);
    const auto j = shown(r);
    EXPECT_EQ(j.state, means.state);
    EXPECT_EQ(j.done, means.final) << j.state;
    EXPECT_EQ(j.ended_at.has_value(), means.final) << j.state;
    EXPECT_FALSE(!means.final && (j.exit_code || j.exit_signal)) << j.state;
    EXPECT_FALSE(means.explained && j.reason.empty()) << j.state;
    EXPECT_EQ(j.exit_code == 0, j.state == "COMPLETED") << j.state;
  }
};

TEST_F(states, each_is_shown_in_its_long_form_and_final_or_not_whichever_way_slurm_writes_it) {
  for (const auto& means : meanings) {
    slurm::report r;
    r.id = 7;
    r.exit_code = means.state == "COMPLETED" ? std::optional{0} : std::nullopt;
    for (const auto& written :
         {std::string{means.code}, std::string{means.state}, std::string{means.state} + "+",
          std::string{means.state} + " by 0"}) {
      r.state = slurm::long_state(written);
      EXPECT_EQ(r.state, means.state) << written;
      check(r);
    }
  }
}

TEST_F(states, squeue_prints_them_so) {
  std::set<std::string> seen;
  for (const auto* file :
       {"squeue_busy.txt", "squeue_done.txt", "squeue_states_early.txt", "squeue_states_late.txt",
        "squeue_states_nodefail.txt", "squeue_states_timeout.txt"})
    for (const auto& r : slurm::parse_queue(fixture(file))) {
      seen.insert(r.state);
      check(r);
    }
  for (const auto* state :
       {"CANCELLED", "COMPLETED", "COMPLETING", "FAILED", "NODE_FAIL", "PENDING", "PREEMPTED",
        "RUNNING", "SPECIAL_EXIT", "STOPPED", "SUSPENDED", "TIMEOUT", "DEADLINE"})
    EXPECT_TRUE(seen.contains(state)) << state;
}

TEST_F(states, sacct_prints_them_so_and_a_requeued_job_has_not_ended) {
  std::set<std::string> seen;
  for (const auto* file : {"sacct_completion.txt", "sacct_states.txt", "sacct_states_timeout.txt"})
    for (const auto& r : slurm::parse_history(fixture(file))) {
      seen.insert(r.state);
      check(r);
    }
  // The log has a line for each time that a job was put back into the queue, with its new state.
  for (const auto* state : {"CANCELLED", "COMPLETED", "FAILED", "NODE_FAIL", "PENDING", "PREEMPTED",
                            "TIMEOUT", "DEADLINE"})
    EXPECT_TRUE(seen.contains(state)) << state;
}

TEST_F(states, what_a_newer_slurm_might_say_is_passed_on_and_not_taken_for_an_end) {
  slurm::report r;
  r.state = slurm::long_state("LAUNCH_FAILED");
  const auto j = shown(r);
  EXPECT_EQ(j.state, "LAUNCH_FAILED");
  EXPECT_FALSE(j.done);
}

} // namespace

} // namespace jobrunner
