#include "http/tus_receive.hpp"

#include "actors/ask.hpp"
#include "core/durable.hpp"
#include "core/failpoint.hpp"
#include "core/sha256.hpp"
#include "http/pump.hpp"

#include <caf/send.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <sys/statvfs.h>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t sync_every = 32U << 20U; // what a crash may take from a client

/// Used on the pool, one call at a time.
class appender {
public:
  appender(const context& with, upload_lease lease, bool checked)
      : with_(with),
        lease_(std::move(lease)),
        checked_(checked),
        at_(lease_.now.offset),
        durable_(at_) {}

  void write(std::span<const char> bytes) {
    if (!file_)
      open();
    for (auto rest = bytes; !rest.empty();) {
      const auto n = ::write(file_.get(), rest.data(), rest.size());
      if (n < 0 && errno != EINTR)
        throw errno_failure("write the upload");
      rest = rest.subspan(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    }
    if (checked_)
      body_.update(bytes.data(), bytes.size());
    if (lease_.hash->at == at_) {
      lease_.hash->hash.update(bytes.data(), bytes.size());
      lease_.hash->at += bytes.size();
    }
    at_ += bytes.size();
    if (checked_ || at_ - durable_ < sync_every)
      return;
    finish();
    caf::anon_send(with_.to.uploads, atom::advance_v, lease_.now.id, durable_);
    check_room();
  }

  /// What has been written is on the disk.
  void finish() {
    JR_FAILPOINT("append_written");
    if (file_)
      sync(file_.get(), "the upload");
    JR_FAILPOINT("append_synced");
    durable_ = at_;
  }

  /// As if nothing had come.
  void undo() {
    *lease_.hash = before_;
    at_ = durable_;
    if (file_ && ftruncate(file_.get(), static_cast<off_t>(at_)) != 0)
      throw errno_failure("cut the upload");
  }

  std::string body_sha256() { return body_.finish(); }
  std::uint64_t durable() const noexcept { return durable_; }

private:
  void open() {
    file_.reset(::open(lease_.file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    const auto at = static_cast<off_t>(at_);
    if (!file_ || ftruncate(file_.get(), at) != 0 || lseek(file_.get(), at, SEEK_SET) != at)
      throw errno_failure("open the upload");
    if (at_ == 0)
      *lease_.hash = {};
    before_ = *lease_.hash;
  }

  void check_room() const {
    struct statvfs disk {};
    const auto floor = with_.settings.min_free_bytes;
    if (fstatvfs(file_.get(), &disk) == 0 && disk.f_bavail * disk.f_frsize < floor)
      throw failure(errc::disk_full, "the disk is full: less than " + std::to_string(floor) +
                                         " bytes would stay free");
  }

  const context& with_;
  upload_lease lease_;
  bool checked_;
  unique_fd file_;
  sha256 body_;
  running_hash before_;
  std::uint64_t at_, durable_;
};

} // namespace

asio::awaitable<appended> append_body(exchange& x, std::string id, std::uint64_t offset,
                                      std::string checksum) {
  auto lease = co_await ask(x.with.to.uploads, 30s, atom::lock_v, id, offset);
  const auto room = lease.now.length - offset;
  const bool checked = !checksum.empty();
  const asio::any_io_executor home = co_await asio::this_coro::executor;
  appender to{x.with, std::move(lease), checked};
  pump body{x.body, x.with.uploads, home};
  const pump::sink sink = [&to](std::span<const char> bytes) -> std::function<void()> {
    return [&to, bytes] { to.write(bytes); };
  };
  std::exception_ptr failed;
  appended result;
  try {
    if (x.body.length().value_or(0) > room)
      throw failure(errc::too_large, "the body has " + std::to_string(*x.body.length()) +
                                         " bytes, but the upload lacks " + std::to_string(room));
    co_await body.run(room, sink);
    result.checksum_matches = !checked || to.body_sha256() == checksum;
  } catch (...) {
    failed = std::current_exception();
  }
  const bool keep = result.checksum_matches && !(failed && checked);
  const std::function<void()> end = [&to, keep] { keep ? to.finish() : to.undo(); };
  try {
    co_await body.last(end);
  } catch (...) {
    if (!failed)
      failed = std::current_exception();
  }
  result.now = co_await ask(x.with.to.uploads, 60s, atom::commit_v, id, to.durable());
  if (failed)
    std::rethrow_exception(failed);
  co_return result;
}

} // namespace jobrunner::http
