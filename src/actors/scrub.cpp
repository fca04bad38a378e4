#include "actors/scrub.hpp"

#include "core/beneath.hpp"
#include "core/durable.hpp"
#include "core/error.hpp"
#include "core/file_walk.hpp"
#include "core/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t read_bytes = 256U << 10U;
constexpr std::size_t most_files = 10'000'000;

void write_list(const fs::path& list, const std::string& lines) {
  const auto made = list.string() + ".new";
  const unique_fd file{::open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  const bool written =
      file && ::write(file.get(), lines.data(), lines.size()) == static_cast<ssize_t>(lines.size());
  if (written)
    sync(file.get(), "the list of a dataset's files");
  if (!written || rename(made.c_str(), list.c_str()) != 0)
    throw errno_failure("write the list of a dataset's files");
}

} // namespace

scrub::scrub(const fs::path& root, const dataset& d)
    : folder_(root / "datasets" / d.sha256),
      list_(root / "datasets/.files" / d.sha256),
      buffer_(read_bytes) {
  if (!d.rel_path.ends_with('/')) { // one file, whose hash is its name
    folder_ = (root / d.rel_path).parent_path();
    unlisted_.push_back(
        {fs::path{d.rel_path}.filename().string(), static_cast<std::uint64_t>(d.bytes), d.sha256});
    list_.clear();
    return;
  }
  try {
    expected_.emplace(list_);
  } catch (const failure& f) {
    if (f.code() != errc::not_found)
      throw;
    for (auto& file : walk(folder_, most_files))
      unlisted_.push_back({std::move(file.path), static_cast<std::uint64_t>(file.bytes), ""});
  }
}

void scrub::found(const std::string& what) {
  if (++wrong_ == 1)
    damage_ = what;
}

/// False at the end.
bool scrub::next_file() {
  auto next = expected_ ? expected_->next() : std::nullopt;
  if (!expected_ && !unlisted_.empty()) {
    next = std::move(unlisted_.back());
    unlisted_.pop_back();
  }
  if (!next)
    return false;
  now_ = std::move(*next);
  ++files_;
  read_ = 0;
  hash_.emplace();
  try {
    file_ = open_beneath(folder_, now_.path);
    posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED); // what the disk holds, not the memory
  } catch (const failure& f) {
    if (f.code() == errc::internal) // it says nothing about the file
      throw;
    found(shown(now_.path) + " cannot be opened: " + f.what());
  }
  return true;
}

void scrub::end_file() {
  if (file_) {
    posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED); // others' files stay in memory
    auto sha256 = hash_->finish();
    if (now_.sha256.empty())
      lines_ += to_line({now_.path, read_, sha256});
    else if (read_ != now_.bytes)
      found(shown(now_.path) + " has " + std::to_string(read_) + " bytes instead of " +
            std::to_string(now_.bytes));
    else if (sha256 != now_.sha256)
      found(shown(now_.path) + " has other bytes than when it was stored");
  }
  file_.reset();
  hash_.reset();
}

bool scrub::step(std::uint64_t bytes) {
  for (std::uint64_t done = 0; done < bytes;) {
    if (!hash_ && !next_file()) {
      finish();
      return false;
    }
    const auto n = file_ ? read(file_.get(), buffer_.data(), buffer_.size()) : 0;
    if (n < 0 && errno != EINTR) {
      found(shown(now_.path) +
            " cannot be read: " + errno_failure("byte " + std::to_string(read_)).what());
      file_.reset();
    }
    if (n == 0 || !file_) {
      end_file();
      done += read_bytes / 16; // opening costs as well
      continue;
    }
    const auto got = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    hash_->update(buffer_.data(), got);
    read_ += got;
    done += got;
  }
  return true;
}

void scrub::finish() {
  if (expected_) {
    const auto there = walk(folder_, most_files).size();
    if (there > files_)
      found(std::to_string(there - files_) + " files lie there that are not of the dataset");
  } else if (!list_.empty() && wrong_ == 0) {
    write_list(list_, lines_);
  }
  if (wrong_ > 1)
    damage_ += ", and " + std::to_string(wrong_ - 1) + " more";
}

} // namespace jobrunner
