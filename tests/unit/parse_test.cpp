// The fixtures are what a real Slurm 22.05 printed, jobs with hostile names among them.
#include "places.hpp"
#include "slurm/parse.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace jobrunner::slurm {

namespace {

report only(const std::vector<report>& all, std::int64_t id) {
  EXPECT_EQ(std::ranges::count(all, id, &report::id), 1) << id;
  const auto found = std::ranges::find(all, id, &report::id);
  return found == all.end() ? report{} : *found;
}

std::string ours(int n) {
  return "jr-0000000" + std::to_string(n) + "-1111-4111-8111-111111111111";
}

timestamp at(std::int64_t seconds) {
  return timestamp{std::chrono::seconds{seconds}};
}

std::string padded(std::string text, std::size_t width) {
  text.resize(width, ' ');
  return text;
}

std::string queue_line(const std::string& id, const std::string& name) {
  return id + "|COMPLETED|0|" + padded("None", 80) + "|100|200|n1|" + padded(name, 40) + "\n";
}

TEST(parse_queue, a_pending_job_has_a_reason_and_no_times) {
  const auto all = parse_queue(fixture("squeue_busy.txt"));
  const auto held = only(all, 26);
  EXPECT_EQ(held.name, ours(8));
  EXPECT_EQ(held.state, "PENDING");
  EXPECT_EQ(held.reason, "JobHeldUser");
  EXPECT_EQ(held.node, "");
  const auto later = only(all, 25); // Slurm prints when it expects to start it
  EXPECT_EQ(later.reason, "BeginTime");
  EXPECT_FALSE(later.started_at || later.ended_at || later.exit_code || later.signal);
}

TEST(parse_queue, a_running_job_has_a_start_and_no_end) {
  const auto r = only(parse_queue(fixture("squeue_busy.txt")), 22);
  EXPECT_EQ(r.state, "RUNNING");
  EXPECT_EQ(r.reason, "");
  EXPECT_EQ(r.node, "vm");
  EXPECT_EQ(r.started_at, at(1795395981));
  EXPECT_FALSE(r.ended_at || r.exit_code || r.signal); // the end Slurm prints is the limit
}

TEST(parse_queue, a_completing_job_is_not_over) {
  const auto r = only(parse_queue(fixture("squeue_busy.txt")), 23);
  EXPECT_EQ(r.state, "COMPLETING");
  EXPECT_FALSE(r.ended_at || r.exit_code || r.signal);
}

TEST(parse_queue, an_ended_job_says_how) {
  const auto all = parse_queue(fixture("squeue_done.txt"));
  const auto good = only(all, 19);
  EXPECT_EQ(good.state, "COMPLETED");
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_FALSE(good.signal);
  EXPECT_EQ(good.started_at, at(1795395980));
  EXPECT_EQ(good.ended_at, at(1795395980));
  const auto bad = only(all, 20);
  EXPECT_EQ(bad.state, "FAILED");
  EXPECT_EQ(bad.reason, "NonZeroExitCode");
  EXPECT_EQ(bad.exit_code, 3);
  const auto killed = only(all, 21);
  EXPECT_EQ(killed.signal, 9);
  EXPECT_FALSE(killed.exit_code);
  const auto late = only(all, 22);
  EXPECT_EQ(late.state, "TIMEOUT");
  EXPECT_EQ(late.reason, "TimeLimit");
  EXPECT_EQ(late.ended_at, at(1795396065));
  EXPECT_EQ(only(all, 27).state, "NODE_FAIL");
}

TEST(parse_queue, a_job_cancelled_before_it_ran_has_no_start_and_no_exit_code) {
  const auto r = only(parse_queue(fixture("squeue_done.txt")), 24);
  EXPECT_EQ(r.state, "CANCELLED");
  EXPECT_FALSE(r.started_at || r.exit_code || r.signal);
  EXPECT_EQ(r.ended_at, at(1795395983));
}

TEST(parse_queue, a_hostile_name_makes_no_job_but_its_own) {
  for (const auto* file : {"squeue_busy.txt", "squeue_done.txt"}) {
    for (const auto& r : parse_queue(fixture(file))) {
      EXPECT_GE(r.id, 19);
      EXPECT_LE(r.id, 30);
    }
  }
  const auto all = parse_queue(fixture("squeue_done.txt"));
  EXPECT_EQ(only(all, 30).name, "evil");
  EXPECT_EQ(only(all, 28).name, "pipe|tab\t|esc\x1b[31m|COMPLETED");
  EXPECT_EQ(only(all, 29).state, "CANCELLED"); // its name is cut within 40 bytes
}

TEST(parse_queue, a_name_cut_by_squeue_is_never_one_of_ours) {
  const auto longer = ours(1) + "2";
  EXPECT_EQ(longer.size(), 40U);
  EXPECT_EQ(only(parse_queue(queue_line("7", ours(1))), 7).name, ours(1));
  EXPECT_EQ(only(parse_queue(queue_line("7", longer)), 7).name, longer);
}

TEST(parse_queue, an_id_that_occurs_twice_is_left_out) {
  const auto all = parse_queue(queue_line("7", "a") + queue_line("8", "b") + queue_line("7", "c"));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.front().id, 8);
}

TEST(parse_queue, a_line_of_another_shape_is_left_out) {
  const auto good = queue_line("7", "a");
  for (const auto& bad : {std::string{"\n"}, std::string{"slurm_load_jobs error: x\n"},
                          good.substr(1), " " + good, queue_line("0", "a"), queue_line("-1", "a"),
                          queue_line("7_1", "a"), queue_line("99999999999999999999", "a"),
                          good.substr(0, 100) + "\n", std::string("7|COMPLETED|0|None|1|2|n1|a\n")})
    EXPECT_TRUE(parse_queue(bad).empty()) << bad;
  EXPECT_TRUE(parse_queue("").empty());
  EXPECT_EQ(parse_queue(good.substr(0, good.size() - 1)).size(), 1U); // no newline at the end
}

TEST(parse_history, the_completion_log_gives_state_times_and_exit) {
  const auto all = parse_history(fixture("sacct_completion.txt"));
  const auto bad = only(all, 20);
  EXPECT_EQ(bad.name, ours(2));
  EXPECT_EQ(bad.state, "FAILED");
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_EQ(bad.node, "vm");
  EXPECT_EQ(bad.started_at, at(1795395980));
  EXPECT_EQ(only(all, 21).signal, 9);
  EXPECT_EQ(only(all, 22).state, "TIMEOUT");
  const auto never_ran = only(all, 24);
  EXPECT_EQ(never_ran.state, "CANCELLED");
  EXPECT_EQ(never_ran.node, "");
  EXPECT_FALSE(never_ran.started_at || never_ran.exit_code);
}

TEST(parse_history, a_job_that_slurm_stopped_has_no_exit_code) {
  EXPECT_FALSE(only(parse_history(fixture("sacct_completion.txt")), 22).exit_code);
}

TEST(parse_history, lines_that_say_different_things_about_one_job_are_left_out) {
  const auto all = parse_history("7|COMPLETED|0:0|100|200|n1|jr-a\n7|FAILED|1:0|100|200|n1|jr-a\n"
                                 "8|COMPLETED|0:0|100|200|n1|jr-b\n");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id, 8);
}

TEST(parse_history, an_id_used_twice_by_slurm_keeps_both_names) {
  const auto all = parse_history("7|COMPLETED|0:0|100|200|n1|jr-a\n7|FAILED|1:0|300|400|n1|jr-b\n"
                                 "7|COMPLETED|0:0|100|200|n1|jr-a\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "jr-a");
  EXPECT_EQ(all[1].state, "FAILED");
}

TEST(parse_history, steps_arrays_and_nonsense_are_left_out) {
  const auto all = parse_history("7.batch|COMPLETED|0:0|100|200|n1|batch\n"
                                 "7_1|COMPLETED|0:0|100|200|n1|a\n7|COMPLETED|0|1|2|n1|a\n"
                                 "7|COMPLETED|x:0|1|2|n1|a\n||||||\n7|COMPLETED|0:0\n\n"
                                 "8|CANCELLED by 0|0:15|100|Unknown|None assigned|a|b\n");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].state, "CANCELLED");
  EXPECT_EQ(all[0].name, "a|b");
  EXPECT_FALSE(all[0].ended_at);
}

TEST(parse_setting, finds_a_value_and_nothing_else) {
  const auto config = fixture("scontrol_config.txt");
  EXPECT_EQ(parse_setting(config, "JobCompType"), "jobcomp/filetxt");
  EXPECT_EQ(parse_setting(config, "JobCompLoc"), "/srv/slurm/jobcomp.log");
  EXPECT_EQ(parse_setting(config, "JobComp"), "");
  EXPECT_EQ(parse_setting("JobCompLoc = (null)\n", "JobCompLoc"), "");
}

} // namespace

} // namespace jobrunner::slurm
