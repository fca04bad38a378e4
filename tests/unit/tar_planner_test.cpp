#include "archive/tar_planner.hpp"
#include "core/error.hpp"
#include "expect_failure.hpp"
#include "temp_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace jobrunner::archive {

namespace {

namespace fs = std::filesystem;

struct planner_test : testing::Test {
  temp_folder small, large, other, huge;
  tar_planner planner{{{5}, {400}, 2}};

  planner_test() {
    for (int i = 0; i < 4; ++i)
      small.put("f" + std::to_string(i), "1");
    for (int i = 0; i < 300; ++i) {
      large.put("f" + std::to_string(i), "1");
      other.put("f" + std::to_string(i), "1");
    }
    for (int i = 0; i < 401; ++i)
      huge.put("f" + std::to_string(i), "1");
  }
};

TEST_F(planner_test, a_plan_of_many_files_has_all_of_them) {
  const auto plan = planner.plan(large.path());
  EXPECT_EQ(plan->size(), 300U * 1024 + 1024);
  EXPECT_EQ(plan->etag(), tar_plan{walk(large.path(), 1000)}.etag());
}

TEST_F(planner_test, memory_is_for_so_many_of_the_largest_and_for_more_that_need_less) {
  tar_planner one_at_once{{{5}, {400}, 1}};
  auto first = one_at_once.plan(large.path());
  const auto why = refusal([&] { one_at_once.plan(other.path()); }, errc::too_many);
  EXPECT_TRUE(says(why, "archives of more than 5 files"));
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(one_at_once.plan(small.path())->size(),
              4U * 1024 + 1024); // of those there may be any
  auto shared = first;
  first.reset();
  refusal([&] { one_at_once.plan(other.path()); }, errc::too_many);
  shared.reset();
  EXPECT_NE(one_at_once.plan(other.path()), nullptr);
  std::vector<std::shared_ptr<const tar_plan>> kept;
  for (int i = 0; i < 10; ++i) { // each takes a thousandth of what the largest may
    temp_folder folder;
    for (int n = 0; n < 10; ++n)
      folder.put("f" + std::to_string(n), "1");
    kept.push_back(planner.plan(folder.path()));
  }
}

TEST_F(planner_test, the_same_files_have_one_plan_as_long_as_somebody_has_it) {
  tar_planner one_at_once{{{5}, {400}, 1}};
  const auto first = one_at_once.plan(large.path());
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(one_at_once.plan(large.path()), first);
  large.put("f7", "22"); // another size
  refusal([&] { one_at_once.plan(large.path()); }, errc::too_many);
  const auto before = planner.plan(large.path());
  large.put("g", "1");
  const auto after = planner.plan(large.path());
  EXPECT_EQ(after->size(), before->size() + 1024);
  EXPECT_EQ(planner.plan(large.path()), after);
  fs::remove(large.path() / "g");
  EXPECT_EQ(planner.plan(large.path())->etag(), before->etag());
}

TEST_F(planner_test, whoever_is_done_makes_room) {
  tar_planner one_at_once{{{5}, {400}, 1}};
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(one_at_once.plan(large.path()), nullptr);
    EXPECT_NE(one_at_once.plan(other.path()), nullptr);
  }
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

TEST_F(planner_test, threads_share_a_plan_or_are_refused) {
  std::vector<std::thread> threads;
  std::vector<std::shared_ptr<const tar_plan>> kept(8);
  for (auto& mine : kept)
    threads.emplace_back([&] {
      try {
        mine = planner.plan(large.path());
      } catch (const failure& f) {
        EXPECT_EQ(f.code(), errc::too_many);
      }
    });
  for (auto& t : threads)
    t.join();
  const auto one = planner.plan(large.path());
  for (const auto& mine : kept)
    EXPECT_TRUE(!mine || mine == one);
  EXPECT_LT(std::ranges::count(kept, nullptr), 8);
}

} // namespace

} // namespace jobrunner::archive
