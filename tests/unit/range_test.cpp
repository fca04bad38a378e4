#include "http/text/range.hpp"

#include <gtest/gtest.h>
#include <limits>

namespace jobrunner::http {

namespace {

constexpr std::uint64_t size = 1000;

struct asked {
  const char* header;
  range_answer answer;
};

void PrintTo(const asked& a, std::ostream* out) {
  *out << a.header;
}

const asked cases[] = {
    // One range, as written or cut to the file.
    {"bytes=0-0", byte_range{0, 0}},
    {"bytes=0-499", byte_range{0, 499}},
    {"bytes=500-999", byte_range{500, 999}},
    {"bytes=999-999", byte_range{999, 999}},
    {"bytes=0-", byte_range{0, 999}},
    {"bytes=999-", byte_range{999, 999}},
    {"bytes=-1", byte_range{999, 999}},
    {"bytes=-1000", byte_range{0, 999}},
    {"bytes=-2000", byte_range{0, 999}},
    {"bytes=900-1000", byte_range{900, 999}},
    {"bytes=0-18446744073709551615", byte_range{0, 999}},
    {"bytes=0-99999999999999999999999999", byte_range{0, 999}},
    {"bytes=-99999999999999999999999999", byte_range{0, 999}},
    {"bytes=0000-0009", byte_range{0, 9}},
    {"Bytes=0-9", byte_range{0, 9}},
    {"bytes= 0-9 ", byte_range{0, 9}},
    {"bytes=,0-9,,", byte_range{0, 9}},
    // Nothing there.
    {"bytes=1000-", unsatisfiable{}},
    {"bytes=1000-1001", unsatisfiable{}},
    {"bytes=-0", unsatisfiable{}},
    {"bytes=18446744073709551615-", unsatisfiable{}},
    {"bytes=18446744073709551616-18446744073709551617", unsatisfiable{}},
    {"bytes=99999999999999999999-", unsatisfiable{}},
    // Several are ignored, overlapping, reversed and empty ones too.
    {"bytes=0-1,2-3", whole{}},
    {"bytes=0-,0-,0-,0-,0-", whole{}},
    {"bytes=500-999, 0-1", whole{}},
    {"bytes=0-1,5000-", whole{}},
    // Malformed.
    {"", whole{}},
    {"bytes", whole{}},
    {"bytes=", whole{}},
    {"bytes=,", whole{}},
    {"bytes=-", whole{}},
    {"bytes=--1", whole{}},
    {"bytes=9-0", whole{}},
    {"bytes=a-b", whole{}},
    {"bytes=0-b", whole{}},
    {"bytes=0-9x", whole{}},
    {"bytes=0x0-0x9", whole{}},
    {"bytes=+0-9", whole{}},
    {"bytes=0 - 9", whole{}},
    {"bytes=1.5-9", whole{}},
    {"bytes=0-9-10", whole{}},
    {"bytes=5", whole{}},
    {"bytes:0-9", whole{}},
    {"bytes 0-9", whole{}},
    {"bytes 0-9/1000", whole{}},
    {"0-9", whole{}},
    {"=0-9", whole{}},
    {"lines=0-9", whole{}},
    {"bytesbytes=0-9", whole{}},
    {"bytes==0-9", whole{}},
};

} // namespace

class range : public testing::TestWithParam<asked> {};

TEST_P(range, is_read_as_rfc_9110_says) {
  EXPECT_EQ(parse_range(GetParam().header, size), GetParam().answer);
}

INSTANTIATE_TEST_SUITE_P(headers, range, testing::ValuesIn(cases));

TEST(ranges, of_an_empty_file_hold_nothing) {
  EXPECT_EQ(parse_range("bytes=0-", 0), range_answer{unsatisfiable{}});
  EXPECT_EQ(parse_range("bytes=0-0", 0), range_answer{unsatisfiable{}});
  EXPECT_EQ(parse_range("bytes=-5", 0), range_answer{whole{}});
}

TEST(ranges, of_the_largest_file_do_not_overflow) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(parse_range("bytes=0-", most), (range_answer{byte_range{0, most - 1}}));
  EXPECT_EQ(parse_range("bytes=18446744073709551614-", most),
            (range_answer{byte_range{most - 1, most - 1}}));
  EXPECT_EQ(parse_range("bytes=18446744073709551615-", most), range_answer{unsatisfiable{}});
  EXPECT_EQ((byte_range{500, 999}.size()), 500U);
}

} // namespace jobrunner::http
