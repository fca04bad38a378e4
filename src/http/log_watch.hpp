// Who follows files that grow. One look at the sizes of all of them serves everybody who follows
// one; it is taken on the pool of files, four times a second while somebody waits.
#pragma once

#include "core/unique_fd.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

namespace jobrunner::http {

namespace asio = boost::asio;

/// Made with make_shared: who waits holds it.
class log_watch : public std::enable_shared_from_this<log_watch> {
public:
  log_watch(asio::io_context& io, asio::thread_pool& files);
  log_watch(const log_watch&) = delete;
  log_watch& operator=(const log_watch&) = delete;

  /// A file that somebody follows: one descriptor, whoever else follows it.
  class followed {
  public:
    int file() const noexcept { return fd_.get(); }

  private:
    friend class log_watch;
    unique_fd fd_;
    std::uint64_t size_ = 0;                                // at the last look
    std::set<std::shared_ptr<asio::steady_timer>> waiting_; // cancelled when it has grown
  };
  using handle = std::shared_ptr<followed>;

  /// Throws failure{too_many} when as many different files are followed as may be.
  handle follow(unique_fd file);

  /// Returns when the file's size is another than `known`, or at `until`. It may return early.
  asio::awaitable<void> change(handle, std::uint64_t known,
                               std::chrono::steady_clock::time_point until);

  std::size_t files() const;

private:
  struct place;                                             // of one who waits
  using identity = std::pair<std::uint64_t, std::uint64_t>; // device, inode
  void look_soon();                                         // under the lock
  void look();

  asio::thread_pool& pool_;
  asio::strand<asio::io_context::executor_type> home_;
  asio::steady_timer clock_; // on home_
  mutable std::mutex guard_;
  std::map<identity, std::weak_ptr<followed>> files_;
  bool looking_ = false;
};

} // namespace jobrunner::http
