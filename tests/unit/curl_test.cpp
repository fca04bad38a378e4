#include "core/curl.hpp"
#include "expect_failure.hpp"
#include "tiny_server.hpp"

#include <gtest/gtest.h>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

const std::string hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One:  a b \r\n\r\nhello";

struct curl_test : testing::Test {
  const address_guard open{"127.0.0.1,127.0.0.2,localhost"};
  curl::limits quick{2000ms, 5000ms, 5s, 1000};

  curl::response get(const tiny_server& from, const address_guard& guard) {
    return curl::client{guard}.perform({"GET", "http://127.0.0.1" + from.port_text() + "/"}, quick);
  }
  std::string refused(const std::string& url, const address_guard& guard) {
    return refusal([&] { curl::client{guard}.perform({"GET", url}, quick); });
  }
};

TEST_F(curl_test, an_answer_comes_with_its_status_headers_and_body) {
  const tiny_server server{tiny_server::answers(hello)};
  const auto answer = get(server, open);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("x-one"), "a b");
  EXPECT_EQ(answer.header("x-two"), "");
}

TEST_F(curl_test, a_request_is_sent_as_it_was_asked_for) {
  std::string seen;
  const tiny_server server{[&](int connection, const std::string& header) {
    seen = header;
    tiny_server::say(connection, hello);
  }};
  const auto url = "http://127.0.0.1" + server.port_text() + "/a%2Fb?x=%20";
  curl::client client{open};
  client.perform({"POST", url, {"X-Signed: s", "Content-Type: application/json"}, "{}"}, quick);
  EXPECT_TRUE(seen.starts_with("POST /a%2Fb?x=%20 HTTP/1.1\r\n")) << seen;
  EXPECT_TRUE(says(seen, "X-Signed: s\r\n")) << seen;
  EXPECT_TRUE(says(seen, "Content-Type: application/json\r\n")) << seen;
  EXPECT_TRUE(says(seen, "Content-Length: 2\r\n")) << seen;
  EXPECT_FALSE(says(seen, "urlencoded")) << seen;
  EXPECT_FALSE(says(seen, "Expect")) << seen;
  client.perform({"PUT", url, {}, ""}, quick);
  EXPECT_TRUE(says(seen, "PUT ") && says(seen, "Content-Length: 0\r\n")) << seen;
  client.perform({"DELETE", url}, quick);
  EXPECT_TRUE(seen.starts_with("DELETE ")) << seen;
  client.perform({"HEAD", url}, quick);
  EXPECT_TRUE(seen.starts_with("HEAD ")) << seen;
}

TEST_F(curl_test, a_header_with_a_line_break_is_refused) {
  refusal([&] {
    curl::client{open}.perform({"GET", "http://127.0.0.1:1/", {"A: b\r\nC: d"}}, quick);
  });
}

TEST_F(curl_test, redirects_are_answers_and_not_followed) {
  const tiny_server other{tiny_server::answers(hello), "127.0.0.2"};
  const tiny_server server{tiny_server::answers("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2" +
                                                other.port_text() +
                                                "/\r\nContent-Length: 0\r\n\r\n")};
  EXPECT_EQ(get(server, open).status, 302);
  EXPECT_EQ(other.connections(), 0);
}

// 127.0.0.2 in every spelling that a resolver or a URL parser may take for it, and names that
// resolve to loopback. The listener must not see a connection.
TEST_F(curl_test, no_spelling_of_a_private_address_is_connected_to) {
  const tiny_server listener{tiny_server::answers(hello), "127.0.0.2"};
  const tiny_server loopback{tiny_server::answers(hello), "127.0.0.1"};
  for (const auto* host : {"127.0.0.2",
                           "127.0.0.2.",
                           "127.2",
                           "127.0.2",
                           "2130706434",
                           "0x7f000002",
                           "0X7F000002",
                           "017700000002",
                           "0177.0.0.2",
                           "0177.0.0.02",
                           "0x7f.0.0.2",
                           "0x7f.0.0.0x2",
                           "127.0.0x0.2",
                           "127.000.000.002",
                           "[::ffff:127.0.0.2]",
                           "[::ffff:7f00:2]",
                           "[::FFFF:7F00:0002]",
                           "[0:0:0:0:0:ffff:127.0.0.2]",
                           "[64:ff9b::7f00:2]",
                           "[2002:7f00:2::]",
                           "[::127.0.0.2]",
                           "%31%32%37.0.0.2",
                           "127.0.0.2%00.example.org",
                           "\u2460\u2461\u2466.0.0.2",
                           "127\u30020.0.2",
                           "0.0.0.0",
                           "0",
                           "localhost",
                           "LOCALHOST",
                           "localhost.",
                           "127.0.0.1",
                           "[::1]",
                           "[::]"}) {
    for (const auto* scheme : {"https://", "http://"})
      for (const auto& port : {listener.port_text(), loopback.port_text()})
        EXPECT_THROW(
            curl::client{address_guard{}}.perform({"GET", scheme + (host + port) + "/"}, quick),
            failure)
            << scheme << host;
  }
  EXPECT_EQ(listener.connections(), 0);
  EXPECT_EQ(loopback.connections(), 0);
  const auto seen = "http://127.0.0.2" + listener.port_text() + "/"; // it would have been seen
  EXPECT_EQ(curl::client{open}.perform({"GET", seen}, quick).status, 200);
  EXPECT_EQ(listener.connections(), 1);
}

TEST_F(curl_test, a_name_that_resolves_to_a_private_address_is_refused_at_connect) {
  const tiny_server server{tiny_server::answers(hello)};
  const auto why = refused("https://localhost" + server.port_text() + "/", {});
  EXPECT_TRUE(says(why, "no public address")) << why;
  EXPECT_EQ(server.connections(), 0);
  const address_guard listed{"localhost" + server.port_text()};
  EXPECT_EQ(
      curl::client{listed}.perform({"GET", "http://localhost" + server.port_text()}, quick).status,
      200);
}

TEST_F(curl_test, a_listed_port_does_not_open_the_others) {
  const tiny_server one{tiny_server::answers(hello)}, other{tiny_server::answers(hello)};
  const address_guard guard{"127.0.0.1" + one.port_text()};
  EXPECT_EQ(get(one, guard).status, 200);
  refused("https://127.0.0.1" + other.port_text() + "/", guard);
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(curl_test, what_is_no_https_url_is_refused) {
  for (const auto* url :
       {"", "x", "http://example.org/", "file:///etc/passwd", "ftp://127.0.0.1/",
        "gopher://127.0.0.1/", "dict://127.0.0.1/", "ldap://127.0.0.1/", "scp://127.0.0.1/",
        "smb://127.0.0.1/x", "data:,x", "//example.org/", "https://",

        "https://user:pw@example.org/", "https://user@example.org/", "https://example.org:99999/",
        "https://exa mple.org/", "javascript:1", "unix:/run/x"})
    EXPECT_FALSE(refusal([&] { curl::check_url(url, {}); }).empty()) << url;
  const auto good = curl::check_url("https://EXAMPLE.org:8443/x?y#z", {});
  EXPECT_EQ(good.host, "example.org");
  EXPECT_EQ(good.port, 8443);
  EXPECT_EQ(curl::check_url("https://0x7f.1/", {}).host, "127.0.0.1");
}

TEST_F(curl_test, the_environment_s_proxy_is_not_used) {
  const tiny_server proxy{tiny_server::answers(hello)}, server{tiny_server::answers(hello)};
  setenv("http_proxy", ("http://127.0.0.1" + proxy.port_text()).c_str(), 1);
  setenv("ALL_PROXY", ("http://127.0.0.1" + proxy.port_text()).c_str(), 1);
  get(server, open);
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
  EXPECT_EQ(proxy.connections(), 0);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(curl_test, an_endless_body_ends_at_the_limit) {
  const tiny_server server{[](int connection, const std::string&) {
    tiny_server::say(connection, "HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 1000; ++i)
      tiny_server::say(connection, std::string(1000, 'x'));
  }};
  std::size_t taken = 0;
  const auto url = "http://127.0.0.1" + server.port_text() + "/";
  const auto sink = [&](std::span<const char> bytes) { taken += bytes.size(); };
  refusal([&] { curl::client{open}.perform({"GET", url, {}, {}, sink}, quick); }, errc::too_large);
  EXPECT_LE(taken, 1000U);
}

TEST_F(curl_test, endless_headers_end_at_the_limit) {
  const tiny_server server{[](int connection, const std::string&) {
    tiny_server::say(connection, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 1000; ++i)
      tiny_server::say(connection,
                       "X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n");
  }};
  refusal([&] { get(server, open); }, errc::too_large);
}

TEST_F(curl_test, of_an_endless_error_the_first_is_kept) {
  const tiny_server server{[](int connection, const std::string&) {
    tiny_server::say(connection, "HTTP/1.1 503 Slow Down\r\n\r\n");
    for (int i = 0; i < 1000; ++i)
      tiny_server::say(connection, std::string(1000, 'x'));
  }};
  bool sunk = false;
  const auto answer = curl::client{open}.perform(
      {"GET", "http://127.0.0.1" + server.port_text() + "/", {}, {}, [&](auto) { sunk = true; }},
      quick);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body.size(), 64U << 10U);
  EXPECT_FALSE(sunk);
}

TEST_F(curl_test, a_stall_a_cut_and_nobody_there_are_unavailable) {
  std::stop_source never;
  const tiny_server stalls{[](int connection, const std::string&) {
    tiny_server::say(connection, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
    std::this_thread::sleep_for(2500ms);
  }};
  quick.stall = 1s;
  refusal([&] { get(stalls, open); }, errc::unavailable);
  const tiny_server cuts{
      tiny_server::answers("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")};
  refusal([&] { get(cuts, open); }, errc::unavailable);
  refusal(
      [&] {
        curl::client{open}.perform({"GET", "http://127.0.0.1:1/"}, quick);
      },
      errc::unavailable);
}

TEST_F(curl_test, a_cancelled_request_ends_soon) {
  const tiny_server stalls{[](int, const std::string&) { std::this_thread::sleep_for(3s); }};
  std::stop_source cancel;
  const std::jthread later{[&] {
    std::this_thread::sleep_for(200ms);
    cancel.request_stop();
  }};
  curl::client client{open, cancel.get_token()};
  const auto why = refusal(
      [&] {
        client.perform({"GET", "http://127.0.0.1" + stalls.port_text() + "/"}, quick);
      },
      errc::unavailable);
  EXPECT_TRUE(says(why, "cancelled")) << why;
}

TEST_F(curl_test, what_the_sink_throws_comes_through) {
  const tiny_server server{tiny_server::answers(hello)};
  const auto url = "http://127.0.0.1" + server.port_text() + "/";
  const auto sink = [](std::span<const char>) { throw failure(errc::disk_full, "full"); };
  refusal([&] { curl::client{open}.perform({"GET", url, {}, {}, sink}, quick); }, errc::disk_full);
}

TEST_F(curl_test, an_error_shows_neither_the_path_nor_a_header) {
  const auto why = refusal(
      [&] {
        curl::client{open}.perform({"GET", "http://127.0.0.1:1/s3cret?k=s3cret", {"A: s3cret"}},
                                   quick);
      },
      errc::unavailable);
  EXPECT_FALSE(says(why, "s3cret")) << why;
}

} // namespace

} // namespace jobrunner
