#include "http/shown_jobs.hpp"

#include <gtest/gtest.h>

namespace jobrunner::http {

namespace {

std::shared_ptr<const job> snapshot(std::int64_t id, const char* state) {
  job j;
  j.id = id;
  j.state = state;
  return std::make_shared<const job>(j);
}

} // namespace

TEST(shown_jobs, a_snapshot_is_rendered_once_and_the_next_one_anew) {
  shown_jobs shown;
  int rendered = 0;
  const auto render = [&](const job& j) {
    ++rendered;
    return std::to_string(j.id) + j.state;
  };
  const auto waits = snapshot(1, "PENDING"), runs = snapshot(1, "RUNNING"),
             other = snapshot(2, "PENDING");
  EXPECT_EQ(shown.text_of(waits, render), "1PENDING");
  EXPECT_EQ(shown.text_of(waits, render), "1PENDING");
  EXPECT_EQ(rendered, 1);
  EXPECT_EQ(shown.text_of(runs, render), "1RUNNING");
  EXPECT_EQ(shown.text_of(other, render), "2PENDING");
  EXPECT_EQ(shown.text_of(waits, render), "1PENDING");
  EXPECT_EQ(rendered, 4);
}

TEST(shown_jobs, of_many_jobs_only_so_many_texts_are_kept) {
  shown_jobs shown;
  std::weak_ptr<const job> first;
  for (std::int64_t id = 1; id <= 5000; ++id) {
    const auto j = snapshot(id, "PENDING");
    if (id == 1)
      first = j;
    EXPECT_EQ(shown.text_of(j, [](const job& one) { return std::to_string(one.id); }),
              std::to_string(id));
  }
  EXPECT_TRUE(first.expired());
}

} // namespace jobrunner::http
