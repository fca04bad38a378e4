#include "http/text/server_sent.hpp"

#include <gtest/gtest.h>

namespace jobrunner::http {

namespace {

TEST(server_sent, an_event_has_its_id_its_type_and_one_line_of_data) {
  EXPECT_EQ(server_sent(7, "state", R"({"a":1})"), "id: 7\nevent: state\ndata: {\"a\":1}\n\n");
  EXPECT_EQ(server_sent(0, "", "\"x\""), "id: 0\ndata: \"x\"\n\n");
}

TEST(server_sent, a_stream_begins_with_where_to_go_on) {
  EXPECT_EQ(server_sent_start(41), "retry: 2000\nid: 41\n\n");
}

} // namespace

} // namespace jobrunner::http
