#include "archive/writer.hpp"

#include "archive/entry_name.hpp"
#include "archive/refusal.hpp"
#include "core/error.hpp"
#include "core/write_soon.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace jobrunner::archive {
namespace {

constexpr std::uint64_t space_step = 16U << 20U; // bytes between two looks at the free space
constexpr std::uint64_t inode_cost = 4096;       // about what a small file takes besides its bytes
constexpr std::uint64_t worth_writing_soon = 1U << 20U; // small files cost less in one go
constexpr std::uint64_t soon_step = 8U << 20U;          // much at once would wait for the disk

// A limit of the process (RLIMIT_FSIZE) or of the file system is the archive's fault, not ours.
failure write_failure(const std::string& path) {
  if (errno == EFBIG)
    return {errc::unprocessable,
            "The archive was refused: entry " + shown(path) + " is too large."};
  return errno_failure("writing the extracted files");
}

std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

void set_time(int fd, const std::optional<std::int64_t>& mtime) {
  if (!mtime)
    return;
  constexpr std::int64_t year_2100 = 4102444800;
  timespec when{};
  when.tv_sec = std::clamp<std::int64_t>(*mtime, 0, year_2100);
  const std::array<timespec, 2> times{when, when};
  futimens(fd, times.data()); // a file system without times is no reason to refuse
}

} // namespace

writer::writer(int top, int list, const limits& most, budget& spent) noexcept
    : top_(top),
      most_(most),
      spent_(spent),
      list_(list) {}

// One component further down: opened, or made and noted for finish().
unique_fd writer::step(int at, const std::string& name, const std::string& path) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  unique_fd found{openat(at, name.c_str(), flags)};
  if (found)
    return found;
  if (errno == ENOTDIR || errno == ELOOP)
    refuse(path, "is used as a folder, but is a file.");
  if (errno != ENOENT)
    throw errno_failure("opening an extracted folder");
  spent_.entry();
  spent_.folder_name(path.size());
  check_space(inode_cost);
  if (mkdirat(at, name.c_str(), 0755) != 0)
    throw write_failure(path);
  folders_.push_back({path, std::nullopt});
  found.reset(openat(at, name.c_str(), flags));
  if (!found)
    throw errno_failure("opening an extracted folder");
  return found;
}

int writer::parent(std::string_view path) {
  if (path.empty())
    return top_;
  if (parent_ && parent_path_ == path)
    return parent_.get();
  unique_fd at;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    at = step(at ? at.get() : top_, std::string{path.substr(begin, end - begin)},
              std::string{path.substr(0, end)});
    begin = end + 1;
  }
  parent_path_ = path;
  parent_ = std::move(at);
  return parent_.get();
}

void writer::folder(const entry& e) {
  spent_.path(e.path.size());
  if (e.path.empty())
    return; // the top folder's mode, owner and time are not the archive's to set
  parent(e.path);
  if (e.mtime) {
    spent_.folder_name(e.path.size());
    folders_.push_back({e.path, e.mtime});
  }
}

void writer::begin_file(const entry& e) {
  spent_.entry();
  spent_.path(e.path.size());
  spent_.expect(e.size);
  const auto name = e.path.substr(e.path.rfind('/') + 1); // npos + 1 is 0
  const int at = parent(folder_of(e.path));
  check_space(inode_cost);
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  file_.reset(openat(at, name.c_str(), flags, e.executable ? 0555 : 0444));
  if (!file_ && errno == EEXIST)
    refuse(e.path, "is there twice; every file may come only once.");
  if (!file_)
    throw write_failure(e.path);
  ++files_;
  list_.begin();
  file_path_ = e.path;
  size_ = e.size;
  extent_ = 0;
  length_ = 0;
  begun_ = 0;
  mtime_ = e.mtime;
}

void writer::write(const block& b) {
  if (b.bytes.size() > UINT64_MAX - b.offset)
    refuse(file_path_, "is too large.");
  const auto end = b.offset + b.bytes.size();
  if (end > extent_) {
    spent_.grow(end - extent_); // holes cost nothing on this disk, but those who copy it pay
    extent_ = end;
  }
  check_space(b.bytes.size());
  if (!list_.add(b.offset, b.bytes))
    refuse(file_path_, "has parts that overlap or are out of order.");
  for (std::size_t done = 0; done < b.bytes.size();) {
    const auto rest = b.bytes.subspan(done);
    const auto n =
        pwrite(file_.get(), rest.data(), rest.size(), static_cast<off_t>(b.offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      throw write_failure(file_path_);
    done += static_cast<std::size_t>(n);
  }
  if (!b.bytes.empty())
    length_ = std::max(length_, end);
  if (length_ - begun_ >= soon_step)
    begin_writing();
}

void writer::begin_writing() {
  write_soon(file_.get(), begun_, length_ - begun_);
  begun_ = length_;
}

void writer::end_file() {
  if (size_ > extent_)
    spent_.grow(size_ - extent_);
  // A sparse file may end in a hole, which a block without bytes may stand for.
  const auto size = std::max(size_, extent_);
  if (size > length_ && ftruncate(file_.get(), static_cast<off_t>(size)) != 0)
    throw write_failure(file_path_);
  set_time(file_.get(), mtime_);
  list_.end(file_path_, size);
  if (length_ >= worth_writing_soon)
    begin_writing();
  file_.reset();
}

void writer::check_space(std::uint64_t bytes) {
  unchecked_ += bytes;
  if (unchecked_ < space_step)
    return;
  unchecked_ = 0;
  struct statvfs disk {};
  if (fstatvfs(top_, &disk) != 0)
    throw errno_failure("looking at the free disk space");
  if (static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize < most_.min_free_bytes)
    throw failure{errc::disk_full, "The disk is full: extracting more would leave less than " +
                                       std::to_string(most_.min_free_bytes) + " bytes free."};
}

void writer::finish() {
  list_.finish();
  for (const auto& made : folders_) {
    const int fd = parent(made.path);
    if (fchmod(fd, 0555) != 0)
      throw errno_failure("protecting the extracted folders");
    set_time(fd, made.mtime);
  }
  // Once for all files: ten thousand calls of fsync take seconds. Errors of writing that came
  // earlier are reported here as well (Linux 5.8).
  if (syncfs(top_) != 0)
    throw errno_failure("writing the extracted files to the disk");
}

} // namespace jobrunner::archive
