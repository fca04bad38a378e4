#include "core/file_list.hpp"
#include "expect_failure.hpp"
#include "temp_folder.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

const std::string a(64, 'a'), b(64, 'b');

struct file_lists : testing::Test {
  temp_folder folder;
  file_list with(const std::string& text) {
    folder.put("list", text);
    return file_list{folder / "list"};
  }
};

TEST_F(file_lists, what_was_written_is_read) {
  auto list = with(to_line({"d/ä b", 7, a}) + to_line({"e", 0, b}));
  const auto first = list.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->path, "d/ä b");
  EXPECT_EQ(first->bytes, 7U);
  EXPECT_EQ(first->sha256, a);
  EXPECT_EQ(list.next()->path, "e");
  EXPECT_FALSE(list.next());
}

TEST_F(file_lists, reading_goes_on_where_another_stopped) {
  std::string text;
  for (std::uint64_t i = 0; i < 5000; ++i) // more than one piece of reading
    text += to_line({"file-" + std::to_string(i), i, a});
  auto one = with(text);
  for (int i = 0; i < 4000; ++i)
    ASSERT_TRUE(one.next());
  file_list other{folder / "list"};
  other.go_on(one.at());
  EXPECT_EQ(other.next()->path, "file-4000");
  other.go_on(text.size());
  EXPECT_FALSE(other.next());
}

TEST_F(file_lists, a_place_inside_a_line_or_behind_the_end_is_refused) {
  const auto text = to_line({"x", 1, a});
  auto list = with(text);
  refusal([&] { list.go_on(5); });
  refusal([&] { list.go_on(text.size() + 1); });
}

TEST_F(file_lists, what_is_no_line_of_ours_is_an_error_and_bounded) {
  for (const auto& text :
       {std::string{"x\n"}, a + " 5\n", a + " x y\n", a + "5 y\n", a + " 5 cut",
        a + " 5 " + std::string(10000, 'x'), std::string(1U << 20U, 'x'), std::string{"\n"}}) {
    auto list = with(text);
    refusal([&] { list.next(); }, errc::internal);
  }
}

TEST_F(file_lists, one_that_is_not_there_is_not_found) {
  refusal([&] { file_list{folder / "none"}; }, errc::not_found);
}

} // namespace

} // namespace jobrunner
