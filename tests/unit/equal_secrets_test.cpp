#include "core/equal_secrets.hpp"

#include <gtest/gtest.h>
#include <string>

namespace jobrunner {

TEST(equal_secrets, only_the_secret_itself_is_equal) {
  EXPECT_TRUE(equal_secrets("correct horse", "correct horse"));
  for (const char* other : {"", "c", "correct hors", "correct horsE", "Correct horse",
                            "correct horse ", "correct horsecorrect horse", "orrect horsec"})
    EXPECT_FALSE(equal_secrets(other, "correct horse")) << other;
  EXPECT_FALSE(equal_secrets(std::string("a\0b", 3), std::string("a\0c", 3)));
  EXPECT_TRUE(equal_secrets(std::string("\xff\0", 2), std::string("\xff\0", 2)));
}

TEST(equal_secrets, without_a_secret_only_nothing_is_equal) {
  EXPECT_TRUE(equal_secrets("", ""));
  EXPECT_FALSE(equal_secrets("x", ""));
}

} // namespace jobrunner
