#include "http/wrong_tokens.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <string>

namespace jobrunner::http {

namespace {
using namespace std::chrono_literals;
constexpr auto forgiven_after = 10min;
constexpr unsigned longest_doubling = 6; // 64 s, cut to the next
constexpr std::chrono::seconds longest_pause = 60s;
} // namespace

std::chrono::seconds wrong_tokens::count(const boost::asio::ip::address& from,
                                         clock::time_point now) {
  const std::lock_guard lock{guard_};
  auto found = known_.find(from);
  if (found == known_.end()) {
    make_room(now);
    found = known_.emplace(from, guesser{}).first;
  }
  auto& g = found->second;
  if (now < g.until)
    return std::chrono::ceil<std::chrono::seconds>(g.until - now);
  if (now - g.last > forgiven_after)
    g.wrong = 0;
  g.last = now;
  ++g.wrong;
  if (g.wrong <= free_)
    return 0s;
  const auto beyond = std::min(g.wrong - free_ - 1, longest_doubling);
  g.until = now + std::min<std::chrono::seconds>(1s * (1U << beyond), longest_pause);
  if (beyond == 0)
    log("http", "guessing", {{"address", from.to_string()}, {"wrong", std::to_string(g.wrong)}});
  return 0s;
}

/// In the worst case a botnet makes an entry go too early: its address gets its free guesses again.
void wrong_tokens::make_room(clock::time_point now) {
  if (known_.size() < most)
    return;
  std::erase_if(known_, [now](const auto& one) { return now - one.second.last > forgiven_after; });
  if (known_.size() >= most)
    known_.erase(
        std::ranges::min_element(known_, {}, [](const auto& one) { return one.second.last; }));
}

std::size_t wrong_tokens::size() const {
  const std::lock_guard lock{guard_};
  return known_.size();
}

} // namespace jobrunner::http
