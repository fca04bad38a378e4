// Many clients that wait for the same thing: each sends one request and waits for its answer.
//   bench_waits --port N --path P --connections 10000 [--header 'A: b']... [--go-path P]
// Says "ready" when all have asked, goes on when it is given a line, and then POSTs to --go-path,
// which ends the waiting. Prints a line of JSON: when answers came, in microseconds since that POST
// was sent.
#include "connection.hpp"
#include "options.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <iostream>
#include <string>
#include <sys/epoll.h>
#include <thread>

namespace {

using namespace bench;

constexpr std::size_t batch = 500; // connections opened at once: a listener's backlog is short

double us_since(clock::time_point begin, clock::time_point then) {
  return std::chrono::duration<double, std::micro>(then - begin).count();
}

} // namespace

int main(int argc, char** argv) {
  const options given{argc, argv};
  many_files();
  const auto count = static_cast<std::size_t>(given.number("connections", 1000));
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  const auto question = request(given, given.text("path", "/"));
  std::deque<connection> waiting(count);
  const auto opening = clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    waiting[i].open(given, epoll, i);
    waiting[i].send(question);
    if (i % batch == batch - 1)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  const auto opened = us_since(opening, clock::now());
  std::cout << "ready" << std::endl;
  std::string line;
  std::getline(std::cin, line);

  connection go;
  constexpr std::uint64_t go_key = ~std::uint64_t{0};
  options::values post{{"method", {"POST"}}};
  const auto command = request(given.with(post), given.text("go-path", "/"));
  const auto start = clock::now();
  if (given.has("go-path")) {
    go.open(given, epoll, go_key);
    go.send(command);
  }
  std::vector<double> answered;
  std::size_t errors = 0, pending = count;
  std::array<epoll_event, 512> events{};
  const auto patience = start + std::chrono::seconds{120};
  while (pending > 0 && clock::now() < patience) {
    const int n = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 1000);
    for (int i = 0; i < n; ++i) {
      const auto key = events[static_cast<std::size_t>(i)].data.u64;
      auto& one = key == go_key ? go : waiting[key];
      const auto what = one.proceed();
      if (what == connection::now::waits || !one.pending() || key == go_key)
        continue;
      one.done();
      --pending;
      if (what == connection::now::answered && one.status() == 200)
        answered.push_back(us_since(start, clock::now()));
      else
        ++errors;
    }
  }
  errors += pending;
  std::sort(answered.begin(), answered.end());
  const auto at = [&](double part) {
    return answered.empty() ? 0.0
                            : answered[static_cast<std::size_t>(
                                  part * static_cast<double>(answered.size() - 1))];
  };
  std::printf("{\"answers\": %zu, \"errors\": %zu, \"opened_us\": %.0f, \"first_us\": %.0f, "
              "\"p50_us\": %.0f, \"last_us\": %.0f}\n",
              answered.size(), errors, opened, at(0), at(0.5), at(1));
}
