#include "webhook/message.hpp"
#include "webhook/secrets.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

namespace jobrunner::webhook {

namespace {

using namespace std::chrono_literals;

TEST(webhook_message, a_signature_is_that_of_the_standard_s_own_example) {
  const auto keys = parse_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").keys;
  const message m{"msg_p5jXN8AQM9LWM0D4loKWxJek", R"({"test": 2432232314})"};
  EXPECT_EQ(signature(keys, m, std::chrono::sys_seconds{1614265330s}),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(webhook_message, each_secret_makes_a_signature_and_each_part_counts) {
  const auto keys = parse_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
                                  "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
                        .keys;
  const message m{"id", "body"};
  const std::chrono::sys_seconds at{1s};
  const auto both = signature(keys, m, at);
  EXPECT_EQ(both, signature({keys[0]}, m, at) + " " + signature({keys[1]}, m, at));
  EXPECT_NE(signature(keys, {"ie", "body"}, at), both);
  EXPECT_NE(signature(keys, {"id", "bodz"}, at), both);
  EXPECT_NE(signature(keys, m, at + 1s), both);
}

TEST(webhook_message, a_message_is_the_event_with_its_type_and_time_and_the_same_each_time) {
  const job_event e{9, 7, 3, "state", "RUNNING", false, "why", timestamp{1700000000123ms}};
  const auto m = message_of(e, "u-u");
  EXPECT_EQ(m.id, "u-u-3");
  EXPECT_EQ(boost::json::parse(m.body), boost::json::parse(R"({
    "type": "job.state", "timestamp": "2023-11-14T22:13:20.123Z",
    "data": {"job_id": 7, "seq": 3, "type": "state", "status": "RUNNING", "done": false,
             "reason": "why", "at": "2023-11-14T22:13:20.123Z"}})"));
  EXPECT_EQ(message_of(e, "u-u").body, m.body);
}

} // namespace

} // namespace jobrunner::webhook
