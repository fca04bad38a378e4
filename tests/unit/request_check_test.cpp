#include "http/text/request_check.hpp"

#include <gtest/gtest.h>

namespace jobrunner::http {

namespace {

using headers = std::vector<std::pair<std::string_view, std::string_view>>;

// The status of a request with one Host and these headers; 0 where it is served.
unsigned status(headers more, unsigned version = 11, std::string_view target = "/jobs") {
  more.emplace_back("Host", "x:8080");
  const auto found = check_framing({version, target, std::move(more)});
  if (found) {
    EXPECT_FALSE(found->detail.empty());
    EXPECT_EQ(found->detail.find_first_of("\r\n"), std::string::npos);
  }
  return found ? found->status : 0;
}

unsigned target_status(std::string_view target) {
  return status({}, 11, target);
}

} // namespace

TEST(request_check, ordinary_requests_pass) {
  EXPECT_EQ(status({}), 0U);
  EXPECT_EQ(status({}, 10), 0U);
  EXPECT_EQ(status({{"Content-Length", "3"}}), 0U);
  EXPECT_EQ(status({{"transfer-encoding", "chunked"}}), 0U);
  EXPECT_EQ(status({{"Transfer-Encoding", " Chunked\t"}}), 0U);
  EXPECT_EQ(status({{"Expect", "100-continue"}, {"Authorization", "Bearer t"}}), 0U);
  EXPECT_EQ(status({{"Cookie", "a"}, {"Cookie", "b"}, {"X", "\u00e4\t"}}), 0U);
}

TEST(request_check, transfer_encoding_is_chunked_once_or_nothing) {
  for (const char* coding : {"identity", "gzip", "chunked, gzip", "gzip, chunked", "xchunked",
                             "chunked,", "chunked, chunked",
                             "\x0b"
                             "chunked",
                             "", "chunked;q=1", "\"chunked\""})
    EXPECT_EQ(status({{"Transfer-Encoding", coding}}), 400U) << coding;
  EXPECT_EQ(status({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "identity"}}), 400U);
  EXPECT_EQ(status({{"Transfer-Encoding", "identity"}, {"Transfer-Encoding", "chunked"}}), 400U);
  EXPECT_EQ(status({{"Transfer-Encoding", "chunked"}, {"TRANSFER-ENCODING", "chunked"}}), 400U);
  EXPECT_EQ(status({{"Transfer-Encoding", "chunked"}}, 10), 400U);
}

TEST(request_check, there_is_one_length_of_one_kind) {
  EXPECT_EQ(status({{"Transfer-Encoding", "chunked"}, {"Content-Length", "3"}}), 400U);
  EXPECT_EQ(status({{"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}}), 400U);
  EXPECT_EQ(status({{"Content-Length", "3"}, {"content-length", "3"}}), 400U);
  for (const char* length : {"", "+3", "-3", "0x3", "3, 3", "3 3", "three", "3.0"})
    EXPECT_EQ(status({{"Content-Length", length}}), 400U) << length;
}

TEST(request_check, there_is_one_host) {
  EXPECT_EQ(check_framing({11, "/", {}})->status, 400U);
  EXPECT_FALSE(check_framing({10, "/", {}}));
  EXPECT_EQ(status({{"host", "y"}}), 400U);
  EXPECT_EQ(status({{"HOST", "x:8080"}}, 10), 400U);
  for (const char* host : {"a b", "a/b", "a@b", "a?b", "a\\b", "a\tb", "\u00e4", "a\x7f"})
    EXPECT_EQ(check_framing({11, "/", {{"Host", host}}})->status, 400U) << host;
  for (const char* host : {"", "localhost", "127.0.0.1:8080", "[::1]:8080", "a_b.example"})
    EXPECT_FALSE(check_framing({11, "/", {{"Host", host}}})) << host;
}

TEST(request_check, the_target_is_a_path) {
  for (const char* target : {"", "*", "x", "http://evil/", "HTTP://x/jobs", "evil:443", "?a",
                             "//evil /", "/a b", "/a\tb", "/a\r\nb", "/a\x7f", "/\u00e4", "/a#b"})
    EXPECT_EQ(target_status(target), 400U) << target;
  EXPECT_EQ(target_status({"/a\0b", 4}), 400U);
  for (const char* target : {"/", "/a?b=c", "/a/../b", "/%00", "//x/y", "/a\\b", "/[x]{y}|^\"<>"})
    EXPECT_EQ(target_status(target), 0U) << target;
}

TEST(request_check, too_much_is_refused) {
  EXPECT_EQ(target_status("/" + std::string(7999, 'a')), 0U);
  EXPECT_EQ(target_status("/" + std::string(8000, 'a')), 414U);
  EXPECT_EQ(status(headers(99, {"X", "y"})), 0U);
  EXPECT_EQ(status(headers(100, {"X", "y"})), 431U);
}

TEST(request_check, folded_lines_and_zero_bytes_are_refused) {
  for (const std::string_view value : {std::string_view{"a\r\n b"}, std::string_view{"a\nb"},
                                       std::string_view{"a\rb"}, std::string_view{"a\0b", 3}})
    EXPECT_EQ(status({{"X", value}}), 400U);
  EXPECT_EQ(status({{"Transfer-Encoding", "\r\n chunked"}}), 400U);
  EXPECT_EQ(check_framing({11, "/", {{"Host", "x"}}, true})->status, 400U); // its value is unfolded
  for (const char* name : {"", "a b", "Content-Length ", "a\r", "\u00e4", "a:b"})
    EXPECT_EQ(status({{name, "x"}}), 400U) << name;
}

TEST(has_folded_line, lines_that_begin_with_a_blank_go_on) {
  for (const char* raw : {"Host: x\r\nX: 1\r\n 2\r\n\r\n", "X: 1\r\n\t2\r\n", "X:\n 1"})
    EXPECT_TRUE(has_folded_line(raw)) << raw;
  for (const char* raw : {"", " ", "\n", "GET / HTTP/1.1\r\nHost:  x \t\r\nX: 1\r\n\r\n"})
    EXPECT_FALSE(has_folded_line(raw)) << raw;
}

TEST(request_check, two_tokens_are_no_token) {
  EXPECT_EQ(status({{"Authorization", "Bearer a"}, {"authorization", "Bearer a"}}), 401U);
}

TEST(request_check, other_versions_and_expectations_are_refused) {
  for (const unsigned version : {0U, 9U, 12U, 20U})
    EXPECT_EQ(status({}, version), 505U);
  EXPECT_EQ(status({{"Expect", "200-foo"}}), 417U);
}

} // namespace jobrunner::http
