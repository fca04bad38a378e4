#include "expect_failure.hpp"
#include "slurm/array_spec.hpp"

#include <gtest/gtest.h>

namespace jobrunner::slurm {

namespace {

using indices = std::vector<std::int64_t>;

indices of(std::string_view text) {
  return parse_array(text, 20).indices;
}

TEST(array_spec, ranges_steps_and_lists_are_read_as_sbatch_reads_them) {
  EXPECT_EQ(of("7"), (indices{7}));
  EXPECT_EQ(of("0-3"), (indices{0, 1, 2, 3}));
  EXPECT_EQ(of("0-10:5"), (indices{0, 5, 10}));
  EXPECT_EQ(of("0-9:4"), (indices{0, 4, 8}));
  EXPECT_EQ(of("5-7,1,3"), (indices{1, 3, 5, 6, 7}));
  EXPECT_EQ(of("4-4"), (indices{4}));
  EXPECT_EQ(of("999999999"), (indices{999999999}));
}

TEST(array_spec, a_percent_sign_bounds_how_many_run_at_once) {
  EXPECT_EQ(parse_array("0-3", 20).at_once, 0);
  const auto spec = parse_array("0-3,9%2", 20);
  EXPECT_EQ(spec.indices.size(), 5U);
  EXPECT_EQ(spec.at_once, 2);
}

TEST(array_spec, other_forms_are_refused_by_name) {
  for (const char* bad : {"",
                          " ",
                          "a",
                          "-1",
                          "1-",
                          "-",
                          "3-1",
                          "1--2",
                          "1-2-3",
                          "1:2",
                          "0-9:0",
                          "0-9:",
                          "0-9:-1",
                          "1,",
                          ",1",
                          "1,,2",
                          "0-3%",
                          "0-3%0",
                          "0-3%-1",
                          "0-3%a",
                          "%2",
                          "0-3%2%2",
                          "1.5",
                          "0x1",
                          "+1",
                          "1 ",
                          "1e3",
                          "1000000000",
                          "99999999999999999999",
                          "0-3;1",
                          "[0-3]",
                          "\xd9\xa1"})
    EXPECT_TRUE(says(refusal([&] { of(bad); }), "array is ")) << bad;
}

TEST(array_spec, an_index_comes_once) {
  EXPECT_TRUE(says(refusal([] { of("1-3,2"); }), "it names 2 twice"));
}

TEST(array_spec, no_more_tasks_than_allowed_are_counted_however_they_are_written) {
  EXPECT_EQ(of("0-19").size(), 20U);
  for (const char* bad : {"0-20", "0-999999999", "0-9,0-9,0-9", "0-999999999:1"})
    EXPECT_TRUE(says(refusal([&] { of(bad); }), "at most 20 tasks")) << bad;
}

TEST(array_spec, a_task_s_variables_are_those_of_slurm_s_arrays) {
  EXPECT_EQ(task_environment(parse_array("3,5-7%2", 20), 6),
            (std::vector<std::string>{"JR_ARRAY_INDEX=6", "SLURM_ARRAY_TASK_ID=6",
                                      "SLURM_ARRAY_TASK_COUNT=4", "SLURM_ARRAY_TASK_MIN=3",
                                      "SLURM_ARRAY_TASK_MAX=7"}));
}

} // namespace

} // namespace jobrunner::slurm
