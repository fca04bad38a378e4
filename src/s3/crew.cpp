#include "s3/crew.hpp"

#include "s3/retry.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace jobrunner::s3 {

void share_out(const place& at, std::size_t count, unsigned threads, const std::stop_token& stop,
               const work& each) {
  std::stop_source own;
  const std::stop_callback passed_on{stop, [&own] { own.request_stop(); }};
  std::atomic<std::size_t> next = 0;
  std::mutex guard;
  std::exception_ptr failed;
  const auto toil = [&] {
    try {
      client service{at, own.get_token()};
      for (auto n = next++; n < count && !own.stop_requested(); n = next++)
        each(service, n, own.get_token());
    } catch (...) {
      const std::lock_guard lock{guard};
      if (!failed)
        failed = std::current_exception();
      own.request_stop();
    }
  };
  {
    std::vector<std::jthread> crew;
    for (std::size_t i = 0; i < std::min<std::size_t>(threads, count); ++i)
      crew.emplace_back(toil);
  }
  if (stop.stop_requested())
    throw stopped{};
  if (failed)
    std::rethrow_exception(failed);
}

} // namespace jobrunner::s3
