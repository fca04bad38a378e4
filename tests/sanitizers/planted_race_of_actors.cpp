// Two actors that write to one place at the same time, without a word to each other.
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <latch>

namespace {

int shared = 0;

void count_up() {
  for (int i = 0; i < 100'000; ++i)
    static_cast<volatile int&>(shared) = static_cast<volatile int&>(shared) + 1;
}

} // namespace

int main() {
  caf::actor_system_config settings;
  settings.set("scheduler.max-threads", 2);
  caf::actor_system sys{settings};
  std::latch both{2}; // one thread that runs them one after the other has no race
  const auto counter = [&both](caf::event_based_actor*) -> caf::behavior {
    return {[&both](int) {
      both.arrive_and_wait();
      count_up();
    }};
  };
  caf::anon_send(sys.spawn(counter), 1);
  caf::anon_send(sys.spawn(counter), 1);
}
