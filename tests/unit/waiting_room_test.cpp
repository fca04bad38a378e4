#include "actors/waiting_room.hpp"
#include "stage.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

using owner = caf::typed_actor<caf::replies_to<atom::wait, event_wait>::with<std::int64_t>,
                               caf::reacts_to<atom::tick>>;

struct waiting_room_test : stage {
  std::vector<caf::actor_addr> left;
  waiting_room room{[this](const caf::actor_addr& asker) { left.push_back(asker); }};
  const waiting_room::moment began = std::chrono::steady_clock::now();
  std::vector<caf::actor_addr> askers;
  std::function<void()> act; // promises are kept on their actor's thread alone
  owner it = sys.spawn([this](owner::pointer self) -> owner::behavior_type {
    return {[this, self](atom::wait, const event_wait& w) -> caf::result<std::int64_t> {
              askers.push_back(self->current_sender()->address()); // the promise takes the sender
              auto promise = self->make_response_promise<std::int64_t>();
              room.add(w, askers.back(), promise, began + w.patience);
              return promise;
            },
            [this](atom::tick) { act(); }};
  });
  ~waiting_room_test() override {
    room = waiting_room{{}};
    stop(it);
  }
  void inside(std::function<void()> what) {
    act = std::move(what);
    caf::anon_send(it, atom::tick_v);
    settle();
  }
  auto wait(std::int64_t id, std::int64_t after, std::chrono::milliseconds patience = 30s,
            bool end_only = false) {
    return start(ask(it, 60s, atom::wait_v, event_wait{id, after, patience, end_only}));
  }
};

TEST_F(waiting_room_test, whoever_waits_for_the_end_is_not_woken_by_less) {
  const auto of_anything = wait(7, 3), of_the_end = wait(7, 3, 30s, true);
  inside([&] { room.settle(7, 4, false); });
  EXPECT_EQ(of_anything->value, 4);
  EXPECT_FALSE(of_the_end->over());
  EXPECT_EQ(left, std::vector{askers[0]}) << "who is answered need not be watched any more";
  inside([&] { room.settle(7, 5, true); });
  EXPECT_EQ(of_the_end->value, 5);
}

TEST_F(waiting_room_test, those_are_answered_who_wait_for_that_job_and_know_less) {
  const auto knows_less = wait(7, 3), knows_it = wait(7, 5), of_another = wait(8, 3),
             of_all = wait(0, 3);
  inside([&] { room.settle(7, 5, false); });
  EXPECT_EQ(knows_less->value, 5);
  EXPECT_FALSE(knows_it->over() || of_another->over() || of_all->over());
  EXPECT_EQ(room.size(), 3U);
  inside([&] { room.settle(0, 9, false); });
  EXPECT_EQ(of_all->value, 9);
  inside([&] { room.settle(7, 6, false); });
  EXPECT_EQ(knows_it->value, 6);
  EXPECT_EQ(room.size(), 1U);
}

TEST_F(waiting_room_test, those_whose_time_is_up_get_the_number_that_they_know) {
  const auto later = wait(7, 3, 20s), sooner = wait(7, 4, 10s);
  EXPECT_EQ(room.first_deadline(), began + 10s);
  inside([&] { room.expire(began + 9s); });
  EXPECT_FALSE(sooner->over());
  inside([&] { room.expire(began + 10s); });
  EXPECT_EQ(sooner->value, 4);
  EXPECT_FALSE(later->over());
  EXPECT_EQ(room.first_deadline(), began + 20s);
  inside([&] { room.expire(began + 30s); });
  EXPECT_EQ(later->value, 3);
  EXPECT_EQ(room.first_deadline(), std::nullopt);
}

TEST_F(waiting_room_test, one_that_is_gone_leaves_nothing) {
  const auto stays = wait(7, 3), goes = wait(7, 3);
  room.gone(askers[1]);
  EXPECT_EQ(room.size(), 1U);
  room.gone(askers[1]); // a second time does nothing
  inside([&] { room.settle(7, 4, false); });
  EXPECT_TRUE(stays->value);
  EXPECT_FALSE(goes->over());
  EXPECT_EQ(room.first_deadline(), std::nullopt);
  goes->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
}

TEST_F(waiting_room_test, ten_thousand_waiters_of_one_job_may_hang_up_and_be_answered) {
  std::vector<std::shared_ptr<outcome<std::int64_t>>> all;
  for (int i = 0; i < 10000; ++i)
    all.push_back(wait(7, 3));
  for (std::size_t i = 0; i < 5000; ++i)
    room.gone(askers[i]);
  inside([&] { room.settle(7, 4, false); });
  EXPECT_FALSE(all.at(4999)->over());
  EXPECT_TRUE(all.at(5000)->over() && all.back()->over());
  EXPECT_EQ(room.size(), 0U);
  for (const auto& one : all)
    one->hang_up.emit(boost::asio::cancellation_type::terminal);
  settle();
}

} // namespace

} // namespace jobrunner
