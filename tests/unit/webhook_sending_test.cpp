#include "expect_failure.hpp"
#include "tiny_server.hpp"
#include "webhook/sending.hpp"

#include <gtest/gtest.h>
#include <thread>

namespace jobrunner::webhook {

namespace {

using namespace std::chrono_literals;

struct webhook_sending : testing::Test {
  const address_guard open{"127.0.0.1"};
  const std::vector<secret> keys{secret{std::string(32, 'k')}};
  static delivery to(const tiny_server& server) {
    return {
        7, 3, "http://127.0.0.1" + server.port_text() + "/hook?key=s3cret", {"u-3", "{\"a\":1}"}};
  }
  answer send(const tiny_server& server, std::chrono::seconds most = 5s) {
    curl::client http{open};
    return deliver(http, keys, to(server), most);
  }
  answer answered(const std::string& text) {
    const tiny_server server{tiny_server::answers(text)};
    return send(server);
  }
};

TEST_F(webhook_sending, the_request_is_one_of_standard_webhooks) {
  std::string seen;
  const tiny_server server{[&](int connection, const std::string& header) {
    seen = header;
    tiny_server::say(connection, "HTTP/1.1 204 No Content\r\n\r\n");
  }};
  const auto a = send(server);
  EXPECT_EQ(a.status, 204);
  EXPECT_EQ(a.error, "");
  EXPECT_TRUE(seen.starts_with("POST /hook?key=s3cret HTTP/1.1\r\n")) << seen;
  for (const auto* part : {"\r\nContent-Type: application/json\r\n", "\r\nwebhook-id: u-3\r\n",
                           "\r\nwebhook-signature: v1,", "\r\nContent-Length: 7\r\n"})
    EXPECT_TRUE(says(seen, part)) << seen;
  const auto at = std::stoll(seen.substr(seen.find("webhook-timestamp: ") + 19));
  EXPECT_LE(std::abs(at - now().time_since_epoch() / 1s), 5);
  EXPECT_TRUE(says(seen, signature(keys, {"u-3", "{\"a\":1}"},
                                   std::chrono::sys_seconds{std::chrono::seconds{at}})));
}

TEST_F(webhook_sending, what_is_no_2xx_is_not_taken_and_says_so_without_the_url) {
  for (const auto* line : {"301 Moved", "404 Not Found", "410 Gone", "500 Oops"}) {
    const auto a = answered("HTTP/1.1 " + std::string{line} +
                            "\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(std::to_string(a.status), std::string{line}.substr(0, 3));
    EXPECT_TRUE(says(a.error, std::to_string(a.status))) << a.error;
    EXPECT_FALSE(says(a.error, "s3cret")) << a.error;
  }
}

TEST_F(webhook_sending, a_pause_that_is_asked_for_is_seconds_or_a_date) {
  const auto asked = [&](const std::string& value) {
    return answered("HTTP/1.1 503 X\r\nRetry-After: " + value + "\r\nContent-Length: 0\r\n\r\n")
        .retry_after;
  };
  EXPECT_EQ(asked("17"), 17s);
  EXPECT_EQ(asked("-17"), 0s);
  EXPECT_EQ(asked("soon"), 0s);
  EXPECT_EQ(asked("99999999999999999999999"), 0s);
  const auto in_a_minute =
      asked(to_http_date(std::chrono::floor<std::chrono::seconds>(now()) + 60s));
  EXPECT_TRUE(in_a_minute > 50s && in_a_minute <= 60s) << in_a_minute.count();
}

TEST_F(webhook_sending, an_endless_answer_is_taken_and_not_read_to_its_end) {
  std::atomic<std::size_t> said = 0;
  const tiny_server server{[&](int connection, const std::string&) {
    tiny_server::say(connection, "HTTP/1.1 200 OK\r\n\r\n");
    const std::string more(1 << 16, 'x');
    for (int i = 0; i < 2000; ++i) { // 128 MB, if it goes
      const auto n = ::send(connection, more.data(), more.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return;
      said += static_cast<std::size_t>(n);
    }
  }};
  const auto a = send(server);
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.error, "");
  EXPECT_LT(said, 32U << 20U);
}

TEST_F(webhook_sending, who_does_not_answer_is_left_when_the_time_is_up) {
  const tiny_server server{
      [](int, const std::string&) { std::this_thread::sleep_for(3s); }}; // then it hangs up
  const auto began = std::chrono::steady_clock::now();
  const auto a = send(server, 1s);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2500ms);
  EXPECT_EQ(a.status, 0);
  EXPECT_NE(a.error, "");
}

TEST_F(webhook_sending, a_private_address_is_connected_to_by_no_name) {
  const tiny_server server{tiny_server::answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")};
  const address_guard closed;
  curl::client http{closed};
  for (const auto* host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"}) {
    const auto a =
        deliver(http, keys,
                {7, 1, "https://" + std::string{host} + server.port_text() + "/", {"i", "b"}}, 5s);
    EXPECT_EQ(a.status, 0) << host;
    EXPECT_TRUE(says(a.error, "no public address")) << a.error;
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(webhook_sending, a_receiver_is_a_scheme_a_host_and_a_port) {
  EXPECT_EQ(receiver_of("https://Example.org/a?b", open), "https://example.org:443");
  EXPECT_EQ(receiver_of("http://127.0.0.1:81/", open), "http://127.0.0.1:81");
  for (const auto* bad :
       {"x", "ftp://h/", "https://u:p@h/", "http://example.org/", "https://127.0.0.2/",
        "https://localhost/", "https://a.localhost:1/", "https://10.0.0.1/", "https://0x7f000002/",
        "https://2130706434/", "https://[::1]/", "https://169.254.169.254/", "https://[fe80::1]/"})
    refusal([&] { receiver_of(bad, open); });
}

} // namespace

} // namespace jobrunner::webhook
