// What a trailer may do to a request: nothing.
#include "http/request_parser.hpp"

#include <boost/asio/buffer.hpp>

#include <gtest/gtest.h>

namespace jobrunner::http {
namespace {

// A chunked request with this trailer, parsed to its end or its first error.
struct parsed {
  explicit parsed(const std::string& trailer) {
    const auto text =
        "POST / HTTP/1.1\r\nHost: x\r\nX-Head: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\n" +
        trailer + "\r\n";
    std::array<char, 100> room{};
    parser.get().body().data = room.data();
    parser.get().body().size = room.size();
    for (std::size_t at = 0; !parser.is_done() && !error;) {
      at += parser.put(boost::asio::buffer(text.data() + at, text.size() - at), error);
      if (error == beast::error::need_buffer)
        error = {};
    }
  }
  request_parser parser;
  boost::system::error_code error;
};

TEST(request_parser, fields_of_the_header_are_kept) {
  const parsed p{""};
  EXPECT_FALSE(p.error);
  EXPECT_EQ(p.parser.get()["X-Head"], "1");
  EXPECT_EQ(p.parser.get()[beast::field::host], "x");
}

TEST(request_parser, fields_of_a_trailer_are_dropped) {
  const parsed p{"X-Head: 2\r\nIf-None-Match: \"a\"\r\nExpect: x\r\nX-Api-Key: t\r\n"};
  EXPECT_FALSE(p.error) << p.error;
  EXPECT_TRUE(p.parser.is_done());
  EXPECT_EQ(p.parser.get().count("X-Head"), 1U);
  EXPECT_EQ(p.parser.get().count(beast::field::if_none_match), 0U);
  EXPECT_EQ(p.parser.get().count(beast::field::expect), 0U);
  EXPECT_EQ(p.parser.get().count("X-Api-Key"), 0U);
}

TEST(request_parser, a_trailer_that_frames_routes_or_authorises_is_an_error) {
  for (const char* field : {"Content-Length: 50", "Transfer-Encoding: gzip",
                            "transfer-encoding: chunked", "Host: y", "AUTHORIZATION: Bearer t"})
    EXPECT_TRUE(parsed{std::string{field} + "\r\n"}.error) << field;
}

} // namespace
} // namespace jobrunner::http
