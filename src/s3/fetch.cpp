#include "s3/fetch.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

namespace jobrunner::s3 {

namespace {

/// Pieces that are claimed, fetched and delivered in the order of their numbers.
class window {
public:
  window(cutter all, std::uint64_t most) : all_(all), most_(most) {}

  /// The next piece to fetch, once there is room for it; false at the end or when it is over.
  bool claim(piece& what, std::uint64_t& number, const std::stop_token& stop) {
    std::unique_lock lock{guard_};
    if (!changed_.wait(lock, stop, [&] { return over_ || claimed_ < delivered_ + most_; }) ||
        over_ || ended_)
      return false;
    if (!all_.next(what)) {
      ended_ = true;
      changed_.notify_all();
      return false;
    }
    number = claimed_++;
    return true;
  }

  void put(std::uint64_t number, const piece& what, std::string bytes) {
    const std::lock_guard lock{guard_};
    ready_.emplace(number, fetched{what, std::move(bytes)});
    changed_.notify_all();
  }

  void fail(std::exception_ptr why) {
    const std::lock_guard lock{guard_};
    if (!failed_)
      failed_ = std::move(why);
    over_ = true;
    changed_.notify_all();
  }

  /// The next piece in order; false at the end. Throws what a fetcher threw, or stopped.
  bool take(piece& what, std::string& bytes, const std::stop_token& stop) {
    std::unique_lock lock{guard_};
    const bool go_on = changed_.wait(lock, stop, [&] {
      return over_ || ready_.contains(delivered_) || (ended_ && delivered_ == claimed_);
    });
    if (!go_on || stop.stop_requested())
      throw stopped{};
    if (failed_)
      std::rethrow_exception(failed_);
    const auto found = ready_.find(delivered_);
    if (found == ready_.end())
      return false;
    what = found->second.what;
    bytes = std::move(found->second.bytes);
    ready_.erase(found);
    return true;
  }

  /// The piece taken last is dealt with: only now is there room for another.
  void taken() {
    const std::lock_guard lock{guard_};
    ++delivered_;
    changed_.notify_all();
  }

private:
  struct fetched {
    piece what;
    std::string bytes;
  };
  std::mutex guard_;
  std::condition_variable_any changed_;
  cutter all_;
  std::uint64_t most_, claimed_ = 0, delivered_ = 0;
  bool ended_ = false, over_ = false;
  std::map<std::uint64_t, fetched> ready_;
  std::exception_ptr failed_;
};

void fetch_pieces(const place& from, std::span<const object> objects, const pace& how,
                  window& pieces, const std::stop_token& stop) {
  try {
    client service{from, stop};
    piece what;
    std::uint64_t number = 0;
    while (pieces.claim(what, number, stop)) {
      std::string bytes;
      if (what.size > 0)
        bytes = retry(how.tries, stop,
                      [&] { return service.get(objects[what.object], what.offset, what.size); });
      pieces.put(number, what, std::move(bytes));
    }
  } catch (...) {
    pieces.fail(std::current_exception());
  }
}

} // namespace

cutter::cutter(std::span<const object> objects, std::uint64_t piece_bytes, std::size_t first,
               std::uint64_t offset)
    : objects_(objects),
      piece_bytes_(piece_bytes),
      at_{first, offset, 0} {}

bool cutter::next(piece& into) {
  if (at_.object >= objects_.size())
    return false;
  const auto left = objects_[at_.object].size - std::min(at_.offset, objects_[at_.object].size);
  into = at_;
  into.size = static_cast<std::size_t>(std::min(left, piece_bytes_));
  at_.offset += into.size;
  if (left <= piece_bytes_)
    at_ = {at_.object + 1, 0, 0};
  return true;
}

void fetch(const place& from, std::span<const object> objects, std::size_t first,
           std::uint64_t offset, const pace& how, const std::stop_token& stop, const take& into) {
  window pieces{{objects, how.piece, first, offset}, how.connections + 2ULL};
  std::stop_source own; // ends the fetchers, whoever wants it
  const std::stop_callback passed_on{stop, [&own] { own.request_stop(); }};
  std::vector<std::jthread> fetchers;
  for (unsigned i = 0; i < how.connections; ++i)
    fetchers.emplace_back([&] { fetch_pieces(from, objects, how, pieces, own.get_token()); });
  try {
    piece what;
    std::string bytes;
    while (pieces.take(what, bytes, stop)) {
      into(what, bytes);
      pieces.taken();
    }
  } catch (...) {
    own.request_stop();
    throw; // jthread joins
  }
}

} // namespace jobrunner::s3
