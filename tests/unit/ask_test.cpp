#include "actors/api.hpp"
#include "actors/ask.hpp"
#include "stage.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

using oracle = caf::typed_actor<caf::replies_to<atom::get, std::int64_t>::with<std::string>,
                                caf::reacts_to<atom::abort, std::string>>;

struct ask_test : stage {
  // Answers even numbers, refuses 1, is silent about 3, and dies of 5.
  oracle it = sys.spawn([](oracle::pointer self) -> oracle::behavior_type {
    return {[self](atom::get, std::int64_t n) -> caf::result<std::string> {
              if (n == 1)
                return caf::make_error(errc::conflict, std::string{"not one"});
              if (n == 3)
                return self->make_response_promise<std::string>();
              if (n == 5)
                self->quit();
              return std::to_string(n);
            },
            [](atom::abort, const std::string&) {}};
  });
  ~ask_test() override { stop(it); }

  auto get(std::int64_t n, std::chrono::milliseconds patience = 60s) {
    return start(ask(it, patience, atom::get_v, n));
  }
};

TEST_F(ask_test, an_answer_comes_back) {
  EXPECT_EQ(get(2)->value, "2");
}

TEST_F(ask_test, the_actor_s_failure_comes_back_with_its_kind_and_sentence) {
  const auto r = get(1);
  ASSERT_TRUE(r->error);
  EXPECT_EQ(r->error->code(), errc::conflict);
  EXPECT_STREQ(r->error->what(), "not one");
}

TEST_F(ask_test, silence_is_unavailable_when_the_patience_is_over) {
  const auto r = get(3, 1s); // longer than any start takes
  EXPECT_FALSE(r->over());
  io.restart();
  io.run_for(10s); // until the timer, its only work, has fired
  ASSERT_TRUE(r->error);
  EXPECT_EQ(r->error->code(), errc::unavailable);
}

TEST_F(ask_test, an_actor_that_is_gone_is_unavailable_at_once) {
  stop(it);
  const auto r = get(2);
  ASSERT_TRUE(r->error);
  EXPECT_EQ(r->error->code(), errc::unavailable);
}

TEST_F(ask_test, a_message_without_an_answer_is_acknowledged) {
  EXPECT_TRUE(start(ask(it, 60s, atom::abort_v, std::string{}))->value);
}

TEST_F(ask_test, a_cancelled_ask_ends_before_its_answer_comes) {
  const auto r = get(3);
  EXPECT_FALSE(r->over());
  r->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
  EXPECT_TRUE(r->error);
}

TEST_F(ask_test, whoever_monitors_the_asker_learns_that_it_is_gone) {
  auto downs = std::make_shared<int>(0);
  const auto waiter = sys.spawn([downs](oracle::pointer self) -> oracle::behavior_type {
    self->set_down_handler([downs](const caf::down_msg&) { ++*downs; });
    return {[self](atom::get, std::int64_t n) -> caf::result<std::string> {
              self->monitor(self->current_sender()->get());
              auto promise = self->make_response_promise<std::string>();
              if (n == 0)
                promise.deliver(std::string{"now"});
              return promise;
            },
            [](atom::abort, const std::string&) {}};
  });
  const auto answered = start(ask(waiter, 60s, atom::get_v, std::int64_t{0}));
  EXPECT_TRUE(answered->value);
  EXPECT_EQ(*downs, 1);
  const auto parked = start(ask(waiter, 60s, atom::get_v, std::int64_t{1}));
  EXPECT_EQ(*downs, 1);
  parked->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
  EXPECT_EQ(*downs, 2);
  stop(waiter);
}

TEST(errors, an_exception_in_flight_becomes_an_error_and_back) {
  const auto through = [](auto thrown) {
    try {
      throw thrown;
    } catch (...) {
      return to_failure(current_error());
    }
  };
  const auto ours = through(failure{errc::too_large, "3 GiB"});
  EXPECT_EQ(ours.code(), errc::too_large);
  EXPECT_STREQ(ours.what(), "3 GiB");
  EXPECT_EQ(through(std::runtime_error{"x"}).code(), errc::internal);
  EXPECT_STREQ(through(std::runtime_error{"x"}).what(), "x");
  EXPECT_EQ(through(7).code(), errc::internal);
}

} // namespace

} // namespace jobrunner
