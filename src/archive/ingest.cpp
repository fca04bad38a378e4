#include "archive/ingest.hpp"

#include "core/durable.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "core/worker.hpp"
#include "core/write_soon.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace jobrunner::archive {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int longest_stall_ms = 60000; // that the extractor may leave the pipe full
constexpr std::int64_t check_disk_every = 8 << 20;
constexpr std::size_t hashed_beside = 64 << 10; // less is hashed before a thread has woken up

unique_fd create(const fs::path& path) {
  unique_fd fd{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640)};
  if (!fd)
    throw errno_failure("create " + path.filename().string());
  return fd;
}

void write_all(int fd, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      throw errno_failure("write the upload");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

/// Hashes bytes while they are written, on a thread beside the one that writes: either takes most
/// of a processor. Over when this object is gone.
class hashing {
public:
  hashing(sha256& hash, std::span<const char> bytes) {
    const auto take = [&hash, bytes] { hash.update(bytes.data(), bytes.size()); };
    if (bytes.size() < hashed_beside) {
      take();
      return;
    }
    thread_ = &beside_this();
    thread_->start(take);
  }
  hashing(const hashing&) = delete;
  hashing& operator=(const hashing&) = delete;
  ~hashing() {
    if (thread_)
      thread_->wait();
  }

private:
  /// Threads of a pool write one upload after the other, and keep their helper.
  static worker& beside_this() {
    thread_local worker one;
    return one;
  }
  worker* thread_ = nullptr;
};

void make_folder(const fs::path& path) {
  // The group, which the extractor shares, may write; the umask must not take that away.
  if (mkdir(path.c_str(), 0770) != 0 || chmod(path.c_str(), 0770) != 0)
    throw errno_failure("make the folder " + path.filename().string());
}

/// Those that are ours: what lies in a closed one cannot be removed.
void open_folders(const fs::path& top) {
  std::error_code ec;
  fs::recursive_directory_iterator all{top, ec};
  while (!ec && all != fs::recursive_directory_iterator{}) {
    std::error_code not_ours;
    if (all->symlink_status(ec).type() == fs::file_type::directory)
      fs::permissions(all->path(), fs::perms::owner_all, fs::perm_options::add, not_ours);
    all.increment(ec);
  }
}

/// The extractor has nothing to say on its standard error: a sanitizer or the C library has.
void note_complaints(const finished& extractor) {
  if (!extractor.err.empty())
    log("ingest", "extractor_says", {{"err", extractor.err}});
}

} // namespace

extraction extraction_of(launcher& extractors, const config& settings) {
  return {extractors,
          settings.programs_dir / "jobrunner-extract",
          settings.max_extracted_bytes,
          settings.max_extracted_files,
          settings.min_free_bytes,
          settings.max_archive_ratio,
          settings.max_archive_path,
          settings.max_extract_seconds};
}

ingest::ingest(const extraction& how, fs::path staging, const std::string& filename, bool extract)
    : how_(how),
      staging_(std::move(staging)),
      kind_(extract ? kind_of(filename) : kind::none) {
  make_folder(staging_ / "data");
  if (kind_ == kind::none) {
    file_ = create(staging_ / "data" / filename);
  } else if (kind_ == kind::zip) {
    file_ = create(staging_ / "archive");
  } else {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
      throw errno_failure("make a pipe");
    const unique_fd reader{ends[0]};
    pipe_.reset(ends[1]);
    fcntl(pipe_.get(), F_SETPIPE_SZ, 1 << 20); // fewer switches; refused where pipes are limited
    fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
    start_extractor(reader.get());
  }
}

/// An extractor that still runs is killed, and has gone before others clean up behind it.
ingest::~ingest() {
  try {
    if (extractor_)
      extractor_->wait(std::chrono::seconds{0});
  } catch (...) {
    log("ingest", "extractor_stays", {{"folder", staging_.string()}});
  }
}

void ingest::start_extractor(int input) {
  const auto budget = [](const char* name, std::uint64_t value) {
    return std::string{name} + "=" + std::to_string(value);
  };
  extractor_.emplace(how_.extractors.spawn(
      {how_.program.string(), "extract", kind_ == kind::zip ? "zip" : "tar",
       (staging_ / "data").string(), "list=" + (staging_ / "files").string(),
       budget("max_bytes", how_.max_bytes), budget("max_files", how_.max_files),
       budget("min_free_bytes", how_.min_free_bytes), budget("max_ratio", how_.max_ratio),
       budget("max_path", how_.max_path), budget("max_seconds", how_.max_seconds)},
      input));
}

void ingest::write(std::span<const char> bytes) {
  const hashing beside{hash_, bytes};
  written_ += static_cast<std::int64_t>(bytes.size());
  if (pipe_)
    return feed(bytes);
  write_all(file_.get(), bytes);
  if (written_ - checked_ < check_disk_every)
    return;
  write_soon(file_.get(), static_cast<std::uint64_t>(checked_),
             static_cast<std::uint64_t>(written_ - checked_));
  checked_ = written_;
  struct statvfs disk {};
  if (fstatvfs(file_.get(), &disk) == 0 && disk.f_bavail * disk.f_frsize < how_.min_free_bytes)
    throw failure(errc::disk_full, "the disk is full: less than " +
                                       std::to_string(how_.min_free_bytes) +
                                       " bytes would stay free");
}

void ingest::feed(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(pipe_.get(), bytes.data(), bytes.size());
    if (n >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      continue;
    }
    if (errno == EPIPE)
      refused();
    if (errno != EAGAIN && errno != EINTR)
      throw errno_failure("feed the extractor");
    pollfd waits{pipe_.get(), POLLOUT, 0};
    if (poll(&waits, 1, longest_stall_ms) == 0)
      throw failure(errc::unprocessable, "the archive keeps its extractor busy for over a minute "
                                         "without reading on; it was given up");
  }
}

void ingest::refused() {
  await_extractor();
  throw failure(errc::unprocessable, "the archive ends before the upload does");
}

std::int64_t ingest::await_extractor() {
  pipe_.reset(); // the end of the archive
  const auto ended = extractor_->wait(std::chrono::seconds{how_.max_seconds});
  extractor_.reset();
  note_complaints(ended);
  boost::json::error_code ec;
  const auto said = boost::json::parse(ended.out, ec);
  const auto* object = ec ? nullptr : said.if_object();
  if (ended.exit_code == 0 && object && object->contains("bytes"))
    return object->at("bytes").to_number<std::int64_t>();
  std::string why = object && object->contains("error") && object->at("error").is_string()
                        ? std::string{object->at("error").as_string()}
                        : "";
  if (ended.exit_code == 1 && !why.empty())
    throw failure(errc::unprocessable, why);
  if (ended.exit_code == 2 && !why.empty())
    throw failure(errc::disk_full, why);
  log("ingest", "extractor_failed",
      {{"exit", std::to_string(ended.exit_code)},
       {"signal", std::to_string(ended.signal)},
       {"said", why}});
  if (ended.timed_out || ended.signal == SIGXCPU)
    throw failure(errc::unprocessable, "The archive was refused: unpacking it takes longer than " +
                                           std::to_string(how_.max_seconds) + " seconds.");
  if (ended.signal != 0)
    throw failure(errc::unprocessable,
                  "the archive made its extractor fail; it is broken or hostile");
  throw failure(errc::internal, "the extractor could not run: " + why + ended.err);
}

ingested ingest::finish() {
  ingested done{hash_.finish(), kind_ != kind::none, written_};
  if (kind_ == kind::none) {
    JR_FAILPOINT("file_written");
    if (fchmod(file_.get(), 0444) != 0)
      throw errno_failure("close the upload");
    sync(file_.get(), "the upload");
    JR_FAILPOINT("file_synced");
  } else if (kind_ == kind::zip) {
    if (lseek(file_.get(), 0, SEEK_SET) != 0)
      throw errno_failure("rewind the archive");
    start_extractor(file_.get());
    done.bytes = await_extractor();
    file_.reset();
    unlink((staging_ / "archive").c_str());
  } else {
    done.bytes = await_extractor();
  }
  JR_FAILPOINT("archive_extracted");
  sync_folder(staging_ / "data");
  JR_FAILPOINT("ingested");
  return done;
}

void discard(const extraction& how, const fs::path& staging) {
  try {
    if (rmdir(staging.c_str()) == 0 || !fs::exists(fs::symlink_status(staging)))
      return;
    const auto ended =
        how.extractors.spawn({how.program.string(), "remove", staging.string()}).wait(10min);
    note_complaints(ended);
    std::error_code ec;
    open_folders(staging);
    fs::remove_all(staging, ec); // what is the server's own
    if (ec || ended.exit_code != 0)
      log("ingest", "staging_left", {{"folder", staging.string()}, {"err", ended.out + ended.err}});
  } catch (const std::exception& e) {
    log("ingest", "staging_left", {{"folder", staging.string()}, {"why", e.what()}});
  }
}

} // namespace jobrunner::archive
