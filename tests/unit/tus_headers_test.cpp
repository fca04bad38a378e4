#include "expect_failure.hpp"
#include "http/text/tus_headers.hpp"

#include <gtest/gtest.h>

namespace jobrunner::http {

namespace {

TEST(base64, what_rfc_4648_shows_is_decoded) {
  EXPECT_EQ(base64_decode(""), "");
  EXPECT_EQ(base64_decode("Zg=="), "f");
  EXPECT_EQ(base64_decode("Zm8="), "fo");
  EXPECT_EQ(base64_decode("Zm9v"), "foo");
  EXPECT_EQ(base64_decode("Zm9vYmFy"), "foobar");
  EXPECT_EQ(base64_decode("+/+/"), std::string("\xfb\xff\xbf"));
}

TEST(base64, what_is_none_is_refused) {
  for (const auto* text : {"Zg", "Zg=", "Zg===", "Z===", "Zm9v!", "Zm 9", "====", "=Zg=", "Z=g="})
    refusal([&] { base64_decode(text); });
}

TEST(tus_metadata, names_and_values_are_read) {
  const auto all = tus_metadata("filename d29ybGQ=, flag,empty ,note w6Q=");
  EXPECT_EQ(all.size(), 4U);
  EXPECT_EQ(all.at("filename"), "world");
  EXPECT_EQ(all.at("flag"), "");
  EXPECT_EQ(all.at("empty"), "");
  EXPECT_EQ(all.at("note"), "ä");
  EXPECT_TRUE(tus_metadata("").empty());
}

TEST(tus_metadata, what_is_malformed_is_refused_and_named) {
  for (const auto* text : {"a Zg==,a Zg==", "a Zg== x", ",", "a Zg", "a /w=="})
    EXPECT_TRUE(says(refusal([&] { tus_metadata(text); }), "Upload-Metadata")) << text;
}

TEST(tus_bytes, only_whole_numbers_that_a_file_can_have) {
  EXPECT_EQ(tus_bytes("Upload-Offset", "0"), 0U);
  EXPECT_EQ(tus_bytes("Upload-Offset", "9223372036854775807"), 9223372036854775807U);
  for (const auto* text : {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "1,2"})
    EXPECT_TRUE(says(refusal([&] { tus_bytes("Upload-Offset", text); }), "Upload-Offset")) << text;
}

TEST(tus_checksum, a_sha256_becomes_its_hexadecimal_digits) {
  EXPECT_EQ(tus_checksum("sha256 n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="),
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
  for (const auto* text : {"", "sha256", "sha1 n4bQ", "sha256 n4bQ", "sha256 ????",
                           "SHA256 n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="})
    refusal([&] { tus_checksum(text); });
}

TEST(tus_concatenation, parts_are_named_by_the_ends_of_their_urls) {
  EXPECT_TRUE(tus_concatenation("partial").partial);
  const auto c = tus_concatenation("final;/uploads/a https://example.org/uploads/b");
  EXPECT_FALSE(c.partial);
  EXPECT_EQ(c.parts, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(tus_concatenation("final; /uploads/a").parts.size(), 1U);
  std::string many = "final;";
  for (int i = 0; i <= 1000; ++i)
    many += "/u/" + std::to_string(i) + " ";
  for (const auto& text : {std::string{"final"}, std::string{"final;"}, std::string{"final; "},
                           std::string{"half"}, std::string{"final;/uploads/"}, many})
    refusal([&] { tus_concatenation(text); });
}

} // namespace

} // namespace jobrunner::http
