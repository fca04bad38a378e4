#include "archive/tar_planner.hpp"
#include "core/error.hpp"
#include "expect_failure.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace jobrunner::archive {

namespace {

struct planner_test : testing::Test {
  temp_folder small, large, huge;
  tar_planner planner{{{5}, {400}, 2}};

  planner_test() {
    for (int i = 0; i < 4; ++i)
      small.put("f" + std::to_string(i), "1");
    for (int i = 0; i < 300; ++i)
      large.put("f" + std::to_string(i), "1");
    for (int i = 0; i < 401; ++i)
      huge.put("f" + std::to_string(i), "1");
  }
};

TEST_F(planner_test, a_plan_of_many_files_has_all_of_them) {
  const auto plan = planner.plan(large.path());
  EXPECT_EQ(plan->size(), 300U * 1024 + 1024);
  EXPECT_EQ(plan->etag(), tar_plan{walk(large.path(), 1000)}.etag());
}

TEST_F(planner_test, no_more_large_plans_are_there_than_the_limit) {
  auto one = planner.plan(large.path());
  const auto other = planner.plan(large.path());
  const auto why = refusal([&] { planner.plan(large.path()); }, errc::too_many);
  EXPECT_TRUE(says(why, "2 archives of more than 5 files"));
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(planner.plan(small.path())->size(), 4U * 1024 + 1024); // of those there may be any
  const auto shared = one;
  one.reset();
  refusal([&] { planner.plan(large.path()); }, errc::too_many);
}

TEST_F(planner_test, whoever_is_done_makes_room) {
  for (int i = 0; i < 10; ++i)
    EXPECT_NE(planner.plan(large.path()), nullptr);
}

TEST_F(planner_test, more_than_an_archive_may_have_is_refused_and_keeps_no_place) {
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(says(refusal([&] { planner.plan(huge.path()); }, errc::unprocessable),
                     "more than 400 files"));
  EXPECT_NE(planner.plan(large.path()), nullptr);
}

TEST_F(planner_test, what_is_skipped_does_not_count) {
  for (int i = 0; i < 300; ++i)
    small.put("attempt-1/" + std::to_string(i), "1");
  const auto skip = [](std::string_view path) { return path == "attempt-1/"; };
  std::vector<std::shared_ptr<const tar_plan>> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(planner.plan(small.path(), skip));
  EXPECT_EQ(all.back()->size(), 4U * 1024 + 1024);
}

TEST_F(planner_test, threads_share_the_places) {
  std::atomic<int> made = 0, refused = 0;
  std::vector<std::thread> threads;
  std::vector<std::shared_ptr<const tar_plan>> kept(8);
  for (auto& mine : kept)
    threads.emplace_back([&] {
      try {
        mine = planner.plan(large.path());
        ++made;
      } catch (const failure&) {
        ++refused;
      }
    });
  for (auto& t : threads)
    t.join();
  EXPECT_EQ(made, 2);
  EXPECT_EQ(refused, 6);
}

} // namespace

} // namespace jobrunner::archive
