#include "core/digest.hpp"
#include "http/text/log_pieces.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>
#include <random>

namespace jobrunner::http {

namespace {

std::string taken(std::string_view bytes, bool more) {
  const auto p = next_piece(bytes, more);
  return (p.text ? "text:" : "bytes:") + std::string{bytes.substr(0, p.size)};
}

TEST(log_pieces, whole_lines_go_before_a_line_that_is_not_finished) {
  EXPECT_EQ(taken("one\ntwo\nthr", true), "text:one\ntwo\n");
  EXPECT_EQ(taken("thr", true), "text:thr");
  EXPECT_EQ(taken("\n", true), "text:\n");
}

TEST(log_pieces, a_character_is_not_torn) {
  EXPECT_EQ(taken("caf\xc3", true), "text:caf");
  EXPECT_EQ(next_piece("\xc3", true).size, 0U);
  EXPECT_EQ(next_piece("\xf0\x9f\x98", true).size, 0U);
  EXPECT_EQ(next_piece("\xed\x9f", true).size, 0U);
  EXPECT_EQ(taken("\xc3\xa9", true), "text:\xc3\xa9");
}

TEST(log_pieces, what_no_byte_can_complete_is_sent_as_bytes) {
  EXPECT_EQ(taken("\xc3", false), "bytes:\xc3"); // nothing follows
  EXPECT_EQ(taken("\xa9\xa9_", true), "bytes:\xa9\xa9");
  EXPECT_EQ(taken("\xff\xfe text", true), "bytes:\xff\xfe");
  EXPECT_EQ(taken("\xed\xa0", true), "bytes:\xed\xa0"); // a surrogate
  EXPECT_EQ(taken("\xff\xc3", true), "bytes:\xff");
  EXPECT_EQ(taken("ok\xff", true), "text:ok");
}

TEST(log_pieces, an_event_holds_text_as_a_json_string_and_bytes_as_base64) {
  EXPECT_EQ(log_event("a\"\n", true, 3), "id: 3\ndata: \"a\\\"\\n\"\n\n");
  EXPECT_EQ(log_event("\xff\xfe", false, 9), "id: 9\nevent: bytes\ndata: \"//4=\"\n\n");
}

/// The bytes that the events stand for, read as a client does.
std::string read_back(std::string_view event) {
  const auto data = event.substr(event.find("data: ") + 6);
  const auto value = boost::json::parse({data.data(), data.size() - 2});
  return std::string{value.as_string().c_str(), value.as_string().size()};
}

TEST(log_pieces, any_bytes_come_back_whatever_pieces_they_are_cut_into) {
  std::mt19937 dice{7};
  const std::string_view alphabet{"a\n\0\xc3\xa9\xf0\x9f\x98\x80\xff\r\"", 12};
  for (int round = 0; round < 300; ++round) {
    std::string all;
    for (int i = 0; i < 60; ++i)
      all += alphabet[dice() % alphabet.size()];
    std::string back;
    std::size_t known = 0, offset = 0; // what the file has, where the reader is
    while (offset < all.size()) {
      known = std::min(all.size(), known + dice() % 7);
      const bool more = known < all.size();
      const auto piece = next_piece(std::string_view{all}.substr(offset, known - offset), more);
      const auto bytes = std::string_view{all}.substr(offset, piece.size);
      offset += piece.size;
      if (piece.size == 0) {
        ASSERT_TRUE(more) << "nothing is sent, and nothing follows";
      } else if (piece.text) {
        back += read_back(log_event(bytes, true, offset));
      } else {
        EXPECT_EQ(read_back(log_event(bytes, false, offset)), base64(bytes));
        back += bytes;
      }
    }
    ASSERT_EQ(back, all);
  }
}

} // namespace

} // namespace jobrunner::http
