#include "http/peer.hpp"
#include "http/wrong_tokens.hpp"

#include <gtest/gtest.h>

namespace jobrunner::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;

struct wrong_tokens_test : testing::Test {
  std::chrono::seconds guess(const std::string& from = "192.0.2.1") {
    return all.count(make_address(from), now);
  }
  wrong_tokens all{20};
  wrong_tokens::clock::time_point now = wrong_tokens::clock::now();
};

TEST_F(wrong_tokens_test, the_first_twenty_and_one_are_answered_at_once) {
  for (int i = 0; i < 21; ++i)
    EXPECT_EQ(guess(), 0s) << i;
  EXPECT_EQ(guess(), 1s);
}

TEST_F(wrong_tokens_test,
       of_twenty_thousand_guesses_in_ten_minutes_hardly_any_is_answered_at_once) {
  int at_once = 0;
  for (int i = 0; i < 20'000; ++i, now += 30ms)
    at_once += guess() == 0s;
  EXPECT_LE(at_once, 40);
  EXPECT_GE(at_once, 20 + 9); // and yet nobody is shut out for good
}

TEST_F(wrong_tokens_test, each_wait_is_twice_the_one_before_up_to_a_minute) {
  for (int i = 0; i < 20; ++i)
    guess();
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    EXPECT_EQ(guess(), 0s);
    EXPECT_EQ(guess(), wait);
    now += wait - 1ms;
    EXPECT_EQ(guess(), 1s); // what is left, rounded up; and asking does not make it longer
    now += 1ms;
  }
}

TEST_F(wrong_tokens_test, ten_quiet_minutes_are_forgiven) {
  for (int i = 0; i < 30; ++i, now += 1min)
    guess();
  EXPECT_EQ(guess(), 0s);
  EXPECT_GT(guess(), 0s);
  now += 11min;
  for (int i = 0; i < 21; ++i)
    EXPECT_EQ(guess(), 0s) << i;
}

TEST_F(wrong_tokens_test, one_address_does_not_slow_another) {
  for (int i = 0; i < 100; ++i)
    guess();
  EXPECT_EQ(guess("192.0.2.2"), 0s);
}

TEST_F(wrong_tokens_test, a_million_addresses_take_no_more_room_than_a_few_thousand) {
  for (unsigned i = 0; i < 10'000; ++i, now += 1ms)
    all.count(boost::asio::ip::address_v4{i}, now);
  EXPECT_EQ(all.size(), wrong_tokens::most);
  for (int i = 0; i < 30; ++i, now += 1ms)
    guess(); // the newest stay
  EXPECT_GT(guess(), 0s);
}

TEST(network_of, an_ipv6_host_has_its_whole_network_and_an_ipv4_one_its_address) {
  const auto of = [](const char* text) { return network_of(make_address(text)).to_string(); };
  EXPECT_EQ(of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(of("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(of("::ffff:127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
  EXPECT_EQ(of("2001:db8:1:2::"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
  EXPECT_EQ(of("::1"), "::1"); // it stays loopback
}

} // namespace
} // namespace jobrunner::http
