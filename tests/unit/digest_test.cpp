#include "core/digest.hpp"
#include "core/hex.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

std::string hex(const std::string& bytes) {
  return to_hex({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

TEST(digest, hmac_is_that_of_rfc_4231) {
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST(digest, base64_is_that_of_rfc_4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(digest, base64_is_read_as_it_is_written_and_in_no_other_form) {
  for (const auto* text : {"", "f", "fo", "foo", "foobar", "\xff\x01"})
    EXPECT_EQ(base64_decode(base64(text)), text);
  for (const auto* bad : {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "Zm 8=", "Zm8-", "=Zg="})
    EXPECT_FALSE(base64_decode(bad)) << bad;
}

TEST(digest, md5_is_that_of_rfc_1321) {
  EXPECT_EQ(hex(md5_of("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex(md5_of("message digest")), "f96b697d7cb7938d525a2f31aaf161d0");
}

} // namespace

} // namespace jobrunner
