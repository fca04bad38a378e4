// Load on an HTTP server: so many connections, each with one request under way, for a time or a
// number of requests.
//   bench_load (--port N | --unix PATH) --path P... [--connections 16] (--seconds S | --requests N)
//   [--pause-ms P]
//              [--method GET] [--header 'A: b']... [--body TEXT | --body-file F]
// Several paths are asked for in turn; a connection pauses so long after an answer. Prints a line
// of JSON; latencies are in microseconds.
#include "connection.hpp"
#include "options.hpp"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <sys/epoll.h>

namespace {

using namespace bench;

struct tally {
  std::vector<std::uint32_t> latencies;
  std::map<int, std::uint64_t> statuses;
  std::uint64_t errors = 0;
};

double percentile(const std::vector<std::uint32_t>& sorted, double part) {
  if (sorted.empty())
    return 0;
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

class load {
public:
  explicit load(const options& given)
      : given_(given),
        connections_(static_cast<std::size_t>(given.number("connections", 16))),
        most_(static_cast<std::uint64_t>(given.number("requests", 0))),
        pause_(std::chrono::duration_cast<clock::duration>(
            std::chrono::duration<double, std::milli>(given.number("pause-ms", 0)))) {
    for (const auto& path : given.all("path"))
      requests_.push_back(request(given, path));
    if (requests_.empty())
      requests_.push_back(request(given, "/"));
  }

  void run() {
    for (std::size_t i = 0; i < connections_.size(); ++i)
      connections_[i].open(given_, epoll_, i);
    start_ = clock::now();
    end_ = start_ + std::chrono::duration_cast<clock::duration>(
                        std::chrono::duration<double>(given_.number("seconds", most_ ? 3600 : 3)));
    for (std::size_t i = 0; i < connections_.size(); ++i)
      next(i);
    std::vector<epoll_event> events(256);
    const auto patience = end_ + std::chrono::seconds{60};
    while ((pending_ > 0 || !resting_.empty()) && clock::now() < patience) {
      const int patient_ms = rest();
      if (pending_ == 0 && resting_.empty())
        break;
      const int n =
          ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), patient_ms);
      for (int i = 0; i < n; ++i)
        happened(events[static_cast<std::size_t>(i)].data.u64);
    }
    seen_.errors += pending_; // those never answered
    stop_ = clock::now();
  }

  void print() {
    auto& all = seen_.latencies;
    std::sort(all.begin(), all.end());
    const auto seconds = std::chrono::duration<double>(stop_ - start_).count();
    std::printf("{\"requests\": %zu, \"errors\": %llu, \"seconds\": %.6f, \"rps\": %.3f, "
                "\"p50_us\": %.0f, \"p90_us\": %.0f, \"p99_us\": %.0f, \"max_us\": %.0f, "
                "\"statuses\": {",
                all.size(), static_cast<unsigned long long>(seen_.errors), seconds,
                static_cast<double>(all.size()) / seconds, percentile(all, 0.5),
                percentile(all, 0.9), percentile(all, 0.99), percentile(all, 1));
    const char* comma = "";
    for (const auto& [status, count] : seen_.statuses) {
      std::printf("%s\"%d\": %llu", comma, status, static_cast<unsigned long long>(count));
      comma = ", ";
    }
    std::printf("}}\n");
  }

private:
  /// Lets those go on whose pause is over; milliseconds until the next.
  int rest() {
    while (!resting_.empty() && resting_.front().first <= clock::now()) {
      const auto key = resting_.front().second;
      resting_.pop_front();
      next(key);
    }
    if (resting_.empty())
      return 1000;
    const auto left = resting_.front().first - clock::now();
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
  }

  void next(std::uint64_t key) {
    auto& one = connections_[key];
    if ((most_ && asked_ >= most_) || clock::now() >= end_)
      return;
    if (!one.reusable())
      one.open(given_, epoll_, key);
    one.send(requests_[asked_ % requests_.size()]);
    ++asked_;
    ++pending_;
  }

  void happened(std::uint64_t key) {
    auto& one = connections_[key];
    const auto what = one.proceed();
    if (what == connection::now::waits)
      return;
    if (!one.pending()) // an idle connection that the server closes
      return;
    one.done();
    --pending_;
    if (what == connection::now::broken) {
      ++seen_.errors;
    } else {
      const auto took = clock::now() - one.sent_at();
      seen_.latencies.push_back(static_cast<std::uint32_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
      ++seen_.statuses[one.status()];
      if (one.status() >= 400)
        ++seen_.errors;
    }
    if (pause_ == clock::duration{})
      next(key);
    else
      resting_.emplace_back(clock::now() + pause_, key);
  }

  const options& given_;
  std::deque<connection> connections_;
  std::vector<std::string> requests_;
  std::uint64_t most_, asked_ = 0, pending_ = 0;
  clock::duration pause_;
  std::deque<std::pair<clock::time_point, std::uint64_t>> resting_; // until when, and which
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  clock::time_point start_, end_, stop_;
  tally seen_;
};

} // namespace

int main(int argc, char** argv) {
  const options given{argc, argv};
  many_files();
  load work{given};
  work.run();
  work.print();
}
