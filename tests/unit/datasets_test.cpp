#include "store/datasets.hpp"
#include "store/schema.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner::store {

namespace {

using namespace std::chrono_literals;

struct dataset_rows : testing::Test {
  temp_folder root;
  sqlite::database db{(migrate(root.path()), open(root.path()))};
  datasets rows{db};
};

TEST_F(dataset_rows, a_row_comes_back_as_it_was_put) {
  rows.put({"abc", "datasets/abc/ä b.txt", 1LL << 40U, timestamp{1700000000123ms}});
  const auto all = rows.all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].sha256, "abc");
  EXPECT_EQ(all[0].rel_path, "datasets/abc/ä b.txt");
  EXPECT_EQ(all[0].bytes, 1LL << 40U);
  EXPECT_EQ(all[0].created_at, timestamp{1700000000123ms});
}

TEST_F(dataset_rows, the_same_content_takes_the_place_of_the_old_row) {
  rows.put({"abc", "datasets/abc/", 1, {}});
  rows.put({"abc", "datasets/abc/one.bin", 2, {}});
  const auto all = rows.all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].rel_path, "datasets/abc/one.bin");
}

} // namespace

} // namespace jobrunner::store
