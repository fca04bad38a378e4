#include "expect_failure.hpp"
#include "s3/retry.hpp"

#include <gtest/gtest.h>
#include <thread>

namespace jobrunner::s3 {

namespace {

using namespace std::chrono_literals;

const patience hasty{1ms, 4ms, 1000ms};

TEST(retry, what_may_pass_is_tried_again) {
  int tries = 0;
  const auto got = retry(hasty, {}, [&] {
    if (++tries < 4)
      throw failure(errc::unavailable, "not yet");
    return 7;
  });
  EXPECT_EQ(got, 7);
  EXPECT_EQ(tries, 4);
}

TEST(retry, what_will_not_pass_is_not) {
  int tries = 0;
  const auto refused = [&] {
    ++tries;
    throw failure(errc::forbidden, "no");
  };
  refusal([&] { retry(hasty, {}, refused); }, errc::forbidden);
  EXPECT_EQ(tries, 1);
}

TEST(retry, it_gives_up_when_the_patience_is_over) {
  const auto begin = std::chrono::steady_clock::now();
  const auto why = refusal(
      [&] {
        retry({1ms, 4ms, 50ms}, {}, [] { throw failure(errc::unavailable, "the last word"); });
      },
      errc::unavailable);
  EXPECT_EQ(why, "the last word");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
}

TEST(retry, a_service_that_asks_for_a_pause_gets_it) {
  int tries = 0;
  const auto begin = std::chrono::steady_clock::now();
  retry({1ms, 1ms, 60000ms}, {}, [&] {
    if (++tries == 1)
      throw slow_down("later", 1s);
  });
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
  // One that asks for more than there is patience for ends it at once.
  refusal(
      [&] {
        retry({1ms, 1ms, 500ms}, {}, [] { throw slow_down("later", 60s); });
      },
      errc::unavailable);
}

TEST(retry, a_stop_ends_a_pause) {
  std::stop_source stop;
  const std::jthread later{[&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  }};
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(retry({60000ms, 60000ms, 600000ms}, stop.get_token(),
                     [] { throw failure(errc::unavailable, "x"); }),
               stopped);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
}

} // namespace

} // namespace jobrunner::s3
