// webhook_desk as an actor, with the senders that wait for receivers on threads of their own.
#include "actors/errors.hpp"
#include "actors/webhook_desk.hpp"
#include "core/log.hpp"
#include "webhook/secrets.hpp"

#include <algorithm>
#include <functional>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

using desk_pointer = webhook_actor::stateful_pointer<webhook_desk_state>;

constexpr auto read_again_after = 5s;
constexpr std::chrono::milliseconds longest_sleep = 60s; // the wall clock may be set

webhook_sender::behavior_type sender(webhook_sender::pointer, const config& settings,
                                     const std::vector<secret>& keys, const std::stop_token& stop) {
  const auto http = std::make_shared<curl::client>(settings.outside, stop);
  return {[http, keys, most = settings.webhooks.timeout](atom::submit, const webhook::delivery& d) {
    return webhook::deliver(*http, keys, d, most);
  }};
}

/// Sends what is due, and sets the clock for what will be.
void work(desk_pointer self) {
  auto& state = self->state;
  state.it->send_due(now());
  const auto next = state.it->next();
  if (!next || (state.alarm && *state.alarm <= *next))
    return;
  state.alarm = next;
  self->delayed_send(self, std::clamp<std::chrono::milliseconds>(*next - now(), 0ms, longest_sleep),
                     atom::tick_v);
}

/// No exception leaves a handler. Whether both were done.
bool safely(desk_pointer self, const std::function<void()>& first) {
  try {
    first();
    work(self);
    return true;
  } catch (const std::exception& e) {
    log("webhooks", "failed", {{"why", e.what()}});
    return false;
  }
}

void send(desk_pointer self, const config& settings, const std::vector<secret>& keys,
          const webhook::delivery& d) {
  auto& state = self->state;
  if (state.idle.empty()) // as many at most as the queue gives out
    state.idle.push_back(self->spawn<caf::detached + caf::linked>(sender, std::cref(settings), keys,
                                                                  state.stop.get_token()));
  const auto by = state.idle.back();
  state.idle.pop_back();
  const auto over = [self, by, d](const webhook::answer& a) {
    self->state.idle.push_back(by);
    safely(self, [&] { self->state.it->answered(d, a, now()); });
  };
  self->request(by, caf::infinite, atom::submit_v, d).then(over, [over](const caf::error& e) {
    over({0, {}, to_failure(e).what()});
  });
}

} // namespace

webhook_actor::behavior_type webhook_desk_actor(desk_pointer self, const services& with) {
  const auto& settings = with.settings;
  const auto secrets = webhook::load_secrets(settings);
  self->state.it = std::make_unique<webhook_desk>(
      settings, [self, &settings, keys = secrets.keys](const webhook::delivery& d) {
        send(self, settings, keys, d);
      });
  self->send(self, atom::tick_v); // what was left when the last server ended
  return {
      [self](atom::hint, std::int64_t job_id) {
        if (!safely(self, [&] { self->state.it->hint(job_id); }))
          self->delayed_send(self, read_again_after, atom::hint_v, job_id);
      },
      [self](atom::get, std::int64_t job_id) -> caf::result<webhook_view> {
        return answer([&] { return self->state.it->view(job_id); });
      },
      [shown = secrets.shown](atom::get) { return shown.reveal(); },
      [self](atom::tick) {
        self->state.alarm.reset();
        safely(self, [] {});
      },
  };
}

} // namespace jobrunner
