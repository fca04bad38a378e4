#include "actors/job_waiters.hpp"
#include "stage.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

job in(const std::string& state, std::int64_t seq = 1, bool done = false, std::int64_t id = 7) {
  job j;
  j.id = id;
  j.state = state;
  j.seq = seq;
  j.done = done;
  return j;
}

job_wait wait_for(std::optional<std::string> state, std::optional<std::int64_t> seq = {},
                  std::int64_t id = 7) {
  return {id, std::move(state), seq, 30s};
}

TEST(satisfied, a_wait_without_since_is_over_with_the_job) {
  EXPECT_FALSE(satisfied(wait_for({}), in("RUNNING", 5)));
  EXPECT_TRUE(satisfied(wait_for({}), in("COMPLETED", 6, true)));
}

TEST(satisfied, a_wait_since_a_state_is_over_with_another_one) {
  EXPECT_FALSE(satisfied(wait_for("RUNNING"), in("RUNNING", 99)));
  EXPECT_TRUE(satisfied(wait_for("PENDING"), in("RUNNING")));
  EXPECT_TRUE(satisfied(wait_for("COMPLETED"), in("COMPLETED", 1, true))); // it will not change
}

TEST(satisfied, a_wait_since_a_number_is_over_with_another_one) {
  EXPECT_FALSE(satisfied(wait_for({}, 4), in("RUNNING", 4)));
  EXPECT_TRUE(satisfied(wait_for({}, 4), in("RUNNING", 5)));
  EXPECT_TRUE(satisfied(wait_for({}, 9), in("RUNNING", 5))); // of a database since restored
}

TEST(satisfied, without_patience_every_wait_is_over) {
  auto w = wait_for({});
  w.patience = 0s;
  EXPECT_TRUE(satisfied(w, in("RUNNING")));
}

using waiting_room =
    caf::typed_actor<caf::replies_to<atom::wait, job_wait>::with<job>, caf::reacts_to<atom::tick>>;

struct job_waiters_test : stage {
  job_waiters waiters;
  std::vector<caf::actor_addr> askers;
  std::uint64_t last_key = 0;
  std::function<void()> act; // promises are kept on their actor's thread alone
  waiting_room room = sys.spawn([this](waiting_room::pointer self) -> waiting_room::behavior_type {
    return {[this, self](atom::wait, const job_wait& w) -> caf::result<job> {
              askers.push_back(self->current_sender()->address()); // the promise takes the sender
              auto promise = self->make_response_promise<job>();
              last_key = waiters.add(w, askers.back(), promise);
              return promise;
            },
            [this](atom::tick) { act(); }};
  });
  ~job_waiters_test() override {
    waiters = {};
    stop(room);
  }
  void inside(std::function<void()> what) {
    act = std::move(what);
    caf::anon_send(room, atom::tick_v);
    settle();
  }
  auto wait(const job_wait& w) { return start(ask(room, 60s, atom::wait_v, w)); }
};

TEST_F(job_waiters_test, settling_answers_those_of_that_job_whose_wait_is_over) {
  const auto until_done = wait(wait_for({})), since = wait(wait_for("PENDING")),
             other = wait(wait_for("PENDING", {}, 8));
  EXPECT_EQ(waiters.size(), 3U);
  inside([&] { waiters.settle(in("RUNNING")); });
  EXPECT_FALSE(until_done->over());
  EXPECT_FALSE(other->over());
  ASSERT_TRUE(since->value);
  EXPECT_EQ(since->value->state, "RUNNING");
  EXPECT_EQ(waiters.size(), 2U);
  inside([&] { waiters.settle(in("COMPLETED", 3, true)); });
  EXPECT_EQ(until_done->value->state, "COMPLETED");
  EXPECT_EQ(waiters.size(), 1U);
}

TEST_F(job_waiters_test, one_that_expires_gets_the_job_as_it_is) {
  const auto waiting = wait(wait_for({}));
  EXPECT_EQ(waiters.job_of(last_key), 7);
  inside([&] { waiters.expire(last_key, in("RUNNING")); });
  EXPECT_EQ(waiting->value->state, "RUNNING");
  EXPECT_EQ(waiters.job_of(last_key), std::nullopt);
  waiters.expire(last_key, in("RUNNING")); // a second time does nothing
  EXPECT_EQ(waiters.size(), 0U);
}

TEST_F(job_waiters_test, one_that_is_gone_leaves_nothing) {
  const auto stays = wait(wait_for({})), goes = wait(wait_for({}));
  waiters.gone(askers[1]);
  EXPECT_EQ(waiters.size(), 1U);
  waiters.gone(askers[1]); // a second time does nothing
  inside([&] { waiters.settle(in("COMPLETED", 2, true)); });
  EXPECT_TRUE(stays->value);
  EXPECT_FALSE(goes->over());
  goes->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
}

TEST_F(job_waiters_test, ten_thousand_waiters_of_one_job_leave_in_less_than_a_second) {
  std::vector<std::shared_ptr<outcome<job>>> all;
  for (int i = 0; i < 10000; ++i)
    all.push_back(wait(wait_for({})));
  const auto began = std::chrono::steady_clock::now();
  inside([&] { waiters.settle(in("COMPLETED", 2, true)); });
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
  EXPECT_TRUE(all.front()->over() && all.back()->over());
  EXPECT_EQ(waiters.size(), 0U);
}

} // namespace

} // namespace jobrunner
