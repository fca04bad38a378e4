#include "slurm/log_watch.hpp"

#include "core/error.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sys/eventfd.h>
#include <sys/inotify.h>

namespace jobrunner::slurm {

namespace {

constexpr int look_again_ms = 1000; // for a file that was taken away

} // namespace

log_watch::log_watch(std::filesystem::path file, std::function<void()> grown)
    : file_(std::move(file)),
      grown_(std::move(grown)),
      events_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (!events_ || !stop_ || !watch())
    throw errno_failure("watch " + file_.string());
  thread_ = std::thread{[this] { run(); }};
}

log_watch::~log_watch() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(stop_.get(), &one, sizeof one));
  thread_.join();
}

/// Watches the file that has the name now; the one before goes.
bool log_watch::watch() {
  if (watched_ >= 0)
    ::inotify_rm_watch(events_.get(), watched_);
  watched_ = ::inotify_add_watch(events_.get(), file_.c_str(),
                                 IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB);
  return watched_ >= 0;
}

void log_watch::run() {
  std::array<pollfd, 2> both{pollfd{events_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
  for (;;) {
    const int ready = ::poll(both.data(), both.size(), watched_ < 0 ? look_again_ms : -1);
    if (ready < 0 && errno != EINTR)
      return; // nothing is lost: the tick goes on
    if (both[1].revents != 0)
      return;
    bool replaced = watched_ < 0, grown = false;
    alignas(inotify_event) std::array<char, 4096> buffer{};
    for (ssize_t size = 0; (size = ::read(events_.get(), buffer.data(), buffer.size())) > 0;)
      for (ssize_t at = 0; at < size;) {
        inotify_event event{};
        std::memcpy(&event, buffer.data() + at, sizeof event);
        at += static_cast<ssize_t>(sizeof event + event.len);
        if (event.wd != watched_) // the last word of a watch that was given up
          continue;
        grown = true;
        // IN_ATTRIB: its last name has gone, while slurmctld still has it open.
        replaced = replaced || event.mask != IN_MODIFY;
      }
    if (replaced && watch())
      grown = true;
    if (grown)
      grown_();
  }
}

} // namespace jobrunner::slurm
