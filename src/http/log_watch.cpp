#include "http/log_watch.hpp"

#include "core/error.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/stat.h>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 200ms;
constexpr std::size_t most_files = 1000; // a descriptor each

} // namespace

log_watch::log_watch(asio::io_context& io, asio::thread_pool& files)
    : pool_(files),
      home_(asio::make_strand(io)),
      clock_(home_) {}

std::size_t log_watch::files() const {
  const std::lock_guard lock{guard_};
  return files_.size();
}

log_watch::handle log_watch::follow(unique_fd file) {
  struct stat about {};
  if (fstat(file.get(), &about) != 0)
    throw errno_failure("look at the log");
  const std::lock_guard lock{guard_};
  std::erase_if(files_, [](const auto& entry) { return entry.second.expired(); });
  auto& slot = files_[{about.st_dev, about.st_ino}];
  if (auto known = slot.lock())
    return known;
  if (files_.size() > most_files) {
    files_.erase({about.st_dev, about.st_ino});
    throw failure(errc::too_many, std::to_string(most_files) +
                                      " logs are being followed already; read this one without");
  }
  auto made = std::make_shared<followed>();
  made->fd_ = std::move(file);
  made->size_ = static_cast<std::uint64_t>(about.st_size);
  slot = made;
  return made;
}

/// Goes with the coroutine that waits, however that ends.
struct log_watch::place {
  std::shared_ptr<log_watch> watch;
  handle of;
  std::shared_ptr<asio::steady_timer> timer;
  ~place() {
    const std::lock_guard lock{watch->guard_};
    of->waiting_.erase(timer);
  }
};

asio::awaitable<void> log_watch::change(handle of, std::uint64_t known,
                                        std::chrono::steady_clock::time_point until) {
  const auto executor = co_await asio::this_coro::executor;
  const place mine{shared_from_this(), of, std::make_shared<asio::steady_timer>(executor, until)};
  {
    const std::lock_guard lock{guard_};
    if (of->size_ > known)
      co_return;
    of->waiting_.insert(mine.timer);
    look_soon();
  }
  boost::system::error_code cancelled;
  co_await mine.timer->async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

void log_watch::look_soon() {
  if (looking_)
    return;
  looking_ = true;
  asio::post(home_, [self = shared_from_this()] {
    self->clock_.expires_after(look_every);
    self->clock_.async_wait([self](boost::system::error_code ec) {
      if (!ec)
        asio::post(self->pool_, [self] { self->look(); });
    });
  });
}

void log_watch::look() {
  const std::lock_guard lock{guard_};
  looking_ = false;
  bool waited_for = false;
  for (auto& [id, entry] : files_) {
    const auto file = entry.lock();
    struct stat about {};
    if (!file || fstat(file->fd_.get(), &about) != 0)
      continue;
    const auto size = static_cast<std::uint64_t>(about.st_size);
    if (size != file->size_) // a posted cancel comes after the wait that it is for has begun
      for (const auto& timer : std::exchange(file->waiting_, {}))
        asio::post(timer->get_executor(), [timer] { timer->cancel(); });
    file->size_ = size;
    waited_for = waited_for || !file->waiting_.empty();
  }
  if (waited_for)
    look_soon();
}

} // namespace jobrunner::http
