#include "s3/landing.hpp"

#include "core/durable.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/hex.hpp"
#include "core/text.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace jobrunner::s3 {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t checkpoint_every = 64U << 20U, check_disk_every = 16U << 20U;

/// What a journal is for: other objects, or the same ones changed, are another import.
std::string identity(std::span<const object> objects, const std::vector<std::string>& paths) {
  sha256 hash;
  for (std::size_t i = 0; i < objects.size(); ++i)
    for (const auto& text :
         {paths[i], objects[i].key, std::to_string(objects[i].size), objects[i].etag})
      hash.update(text.c_str(), text.size() + 1);
  return hash.finish();
}

void make_folders(const fs::path& top, const std::string& path) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto folder = top / path.substr(0, slash);
    struct stat about {};
    if (lstat(folder.c_str(), &about) == 0 && S_ISDIR(about.st_mode))
      continue;
    if (mkdir(folder.c_str(), 0755) != 0 && (errno == EEXIST || errno == ENOTDIR))
      throw failure(errc::unprocessable,
                    "the keys have both a file and a folder " + shown(path.substr(0, slash)));
    if (chmod(folder.c_str(), 0755) != 0) // jobs may look; the umask must not take that away
      throw errno_failure("make a dataset's folder");
  }
}

std::uint64_t size_of(const fs::path& file) {
  struct stat about {};
  return lstat(file.c_str(), &about) == 0 && S_ISREG(about.st_mode)
             ? static_cast<std::uint64_t>(about.st_size)
             : 0;
}

} // namespace

landing::landing(fs::path folder, std::span<const object> objects, std::vector<std::string> paths,
                 rules how)
    : folder_(std::move(folder)),
      objects_(objects),
      paths_(std::move(paths)),
      rules_(std::move(how)),
      journal_(folder_ / "journal") {
  resume();
}

void landing::resume() {
  const auto data = folder_ / "data";
  const auto wanted = identity(objects_, paths_);
  bool same = false;
  std::uint64_t reached = 0;
  journal_.read([&](const boost::json::object& line) {
    same = same || text_in(line, "objects") == wanted;
    const auto next = files_.size();
    if (!same || next == objects_.size())
      return;
    if (number_in(line, "done") == static_cast<std::int64_t>(next) &&
        size_of(data / paths_[next]) == objects_[next].size) {
      files_.push_back({paths_[next], objects_[next].size, text_in(line, "sha256")});
      reached = 0;
    } else if (number_in(line, "part") == static_cast<std::int64_t>(next)) {
      reached = static_cast<std::uint64_t>(std::max<std::int64_t>(number_in(line, "bytes"), 0));
    }
  });
  if (!same || !fs::is_directory(data)) {
    files_.clear();
    fs::remove_all(data);
    journal_.clear();
    // The group, which the extractor shares, may clean up.
    if (mkdir(data.c_str(), 0770) != 0 || chmod(data.c_str(), 0770) != 0)
      throw errno_failure("make a dataset's folder");
    journal_.append({{"objects", wanted}});
    return;
  }
  if (reached == 0 || files_.size() == objects_.size() ||
      size_of(data / paths_[files_.size()]) < reached)
    return;
  open_file(false);
  have_ = durable_ = reached;
  if (ftruncate(file_.get(), static_cast<off_t>(reached)) != 0)
    throw errno_failure("go on with a file");
  read_back();
}

std::uint64_t landing::bytes() const {
  return std::accumulate(files_.begin(), files_.end(), have_,
                         [](std::uint64_t sum, const landed& f) { return sum + f.size; });
}

void landing::open_file(bool anew) {
  const auto& path = paths_[files_.size()];
  make_folders(folder_ / "data", path);
  const auto file = folder_ / "data" / path;
  if (anew)
    unlink(file.c_str()); // one that was whole before a crash, but not yet in the journal
  else
    chmod(file.c_str(), 0640); // likewise
  file_.reset(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file_ && (errno == EISDIR || errno == ENOTDIR))
    throw failure(errc::unprocessable, "the keys have both a file and a folder " + shown(path));
  if (!file_)
    throw errno_failure("create a dataset's file");
  have_ = durable_ = 0;
  sha256_.emplace();
  md5_.emplace();
}

void landing::hash(std::span<const char> bytes) {
  sha256_->update(bytes.data(), bytes.size());
  md5_->update({bytes.data(), bytes.size()});
}

/// Hashes what is there already, and leaves the file at its end.
void landing::read_back() {
  std::vector<char> buffer(1U << 20U);
  for (std::uint64_t at = 0; at < have_;) {
    const auto n = ::pread(file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (n <= 0)
      throw errno_failure("read back a file");
    hash({buffer.data(), static_cast<std::size_t>(n)});
    at += static_cast<std::uint64_t>(n);
  }
  if (lseek(file_.get(), 0, SEEK_END) < 0)
    throw errno_failure("go on with a file");
}

void landing::write(const piece& what, std::span<const char> bytes) {
  if (what.offset == 0)
    open_file(true);
  hash(bytes);
  for (auto rest = bytes; !rest.empty();) {
    const auto n = ::write(file_.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      throw errno_failure("write a dataset's file");
    rest = rest.subspan(static_cast<std::size_t>(n));
  }
  have_ += bytes.size();
  checked_ += bytes.size();
  if (checked_ >= check_disk_every)
    check_disk();
  if (have_ == objects_[files_.size()].size)
    close_file();
  else if (have_ - durable_ >= checkpoint_every)
    checkpoint();
}

void landing::check_disk() {
  checked_ = 0;
  struct statvfs disk {};
  if (fstatvfs(file_.get(), &disk) == 0 && disk.f_bavail * disk.f_frsize < rules_.min_free_bytes)
    throw failure(errc::disk_full, "the disk is full: less than " +
                                       std::to_string(rules_.min_free_bytes) +
                                       " bytes would stay free");
}

void landing::checkpoint() {
  sync(file_.get(), "a dataset's file");
  JR_FAILPOINT("import_part_synced");
  durable_ = have_;
  journal_.append({{"part", files_.size()}, {"bytes", have_}});
  JR_FAILPOINT("import_part_noted");
}

void landing::close_file() {
  const auto& from = objects_[files_.size()];
  const auto digest = md5_->finish();
  const auto ours = to_hex({reinterpret_cast<const unsigned char*>(digest.data()), digest.size()});
  if (const auto theirs = md5_of_etag(from.etag);
      !theirs.empty() && theirs != ours && !rules_.encrypted(from))
    throw failure(errc::unprocessable, "the object " + shown(from.key) + " arrived with the MD5 " +
                                           ours + ", but its ETag is " + from.etag);
  if (fchmod(file_.get(), 0444) != 0)
    throw errno_failure("close a dataset's file");
  sync(file_.get(), "a dataset's file");
  file_.reset();
  const auto number = files_.size();
  files_.push_back({paths_[number], from.size, sha256_->finish()});
  have_ = durable_ = 0;
  // The file is durable; if this line is lost, the file is fetched again.
  JR_FAILPOINT("import_file_synced");
  journal_.append({{"done", number}, {"sha256", files_.back().sha256}}, false);
  JR_FAILPOINT("import_file_noted");
}

const std::vector<landed>& landing::finish() {
  if (files_.size() != objects_.size())
    throw failure(errc::internal, "an import ended before its last file");
  for (const auto& entry : fs::recursive_directory_iterator{folder_ / "data"})
    if (entry.is_directory())
      sync_folder(entry.path());
  sync_folder(folder_ / "data");
  return files_;
}

std::string manifest_of(std::span<const landed> files) {
  std::vector<const landed*> sorted;
  for (const auto& f : files)
    sorted.push_back(&f);
  std::ranges::sort(sorted, {}, [](const landed* f) { return std::string_view{f->path}; });
  std::string all;
  for (const auto* f : sorted)
    all += f->sha256 + " " + std::to_string(f->size) + " " + f->path + "\n";
  return all;
}

} // namespace jobrunner::s3
