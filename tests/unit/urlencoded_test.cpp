#include "expect_failure.hpp"
#include "http/text/limits.hpp"
#include "http/text/urlencoded.hpp"

#include <array>
#include <cstdio>

namespace jobrunner::http {

TEST(urlencoded, percent_decoding_happens_once) {
  EXPECT_EQ(percent_decode(""), "");
  EXPECT_EQ(percent_decode("a%2Fb%2fc"), "a/b/c");
  EXPECT_EQ(percent_decode("%252e%252e"), "%2e%2e");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("%e2%82%AC"), "\u20ac");
  EXPECT_EQ(percent_decode("%ff%0d%0a%7f"), "\xff\r\n\x7f");
}

TEST(urlencoded, every_byte_but_zero_survives_encoding) {
  for (int byte = 1; byte < 256; ++byte) {
    std::array<char, 4> text{};
    std::snprintf(text.data(), text.size(), "%%%02x", byte);
    EXPECT_EQ(percent_decode(text.data()), std::string(1, static_cast<char>(byte)));
  }
}

TEST(urlencoded, malformed_escapes_and_zero_bytes_are_refused) {
  for (const char* bad : {"%", "%4", "%zz", "%4g", "%g4", "a%", "100%", "%%41", "%-1", "% 1", "%00",
                          "a%00b", "%u0041"})
    EXPECT_THROW(percent_decode(bad), failure) << bad;
  EXPECT_TRUE(says(refusal([] { percent_decode("x%zzy"); }), "\"%zz\""));
}

TEST(urlencoded, a_form_is_read_in_order) {
  const pairs expected{{"a", "1"}, {"b", "two words"}, {"b", "x=y"},
                       {"c", ""},  {"d", ""},          {"", "e"}};
  EXPECT_EQ(parse_urlencoded("a=1&b=two+words&&b=x=y&c=&d&=e&"), expected);
  EXPECT_EQ(parse_urlencoded(""), pairs{});
  EXPECT_EQ(parse_urlencoded("&&&"), pairs{});
}

TEST(urlencoded, separators_that_are_encoded_do_not_separate) {
  const pairs expected{{"a&b", "c=d+e f%"}};
  EXPECT_EQ(parse_urlencoded("a%26b=c%3Dd%2Be+f%25"), expected);
}

TEST(urlencoded, values_are_utf8) {
  EXPECT_EQ(parse_urlencoded("n=%C3%A4")[0].second, "\u00e4");
  EXPECT_EQ(parse_urlencoded("n=\xc3\xa4")[0].second, "\u00e4");
  for (const char* bad : {"n=%ff", "%ff=n", "n=%C0%AF", "n=%ED%A0%80", "n=\xff", "n=%C3"})
    EXPECT_TRUE(says(refusal([&] { parse_urlencoded(bad); }), "UTF-8")) << bad;
}

TEST(urlencoded, a_field_holds_64_KiB) {
  const std::string most(max_field_bytes, 'a');
  EXPECT_EQ(parse_urlencoded("n=" + most)[0].second, most);
  EXPECT_THROW(parse_urlencoded("n=" + most + "a"), failure);
  EXPECT_THROW(parse_urlencoded(most + "a=1"), failure);
  std::string encoded;
  for (std::size_t i = 0; i < max_field_bytes; ++i)
    encoded += "%61";
  EXPECT_EQ(parse_urlencoded("n=" + encoded)[0].second, most);
  EXPECT_THROW(parse_urlencoded("n=" + encoded + "%61"), failure);
}

TEST(urlencoded, a_form_holds_256_fields) {
  std::string form;
  for (int i = 0; i < 256; ++i)
    form += "a=1&";
  EXPECT_EQ(parse_urlencoded(form).size(), 256U);
  EXPECT_THROW(parse_urlencoded(form + "a=1"), failure);
}

} // namespace jobrunner::http
