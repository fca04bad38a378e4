#include "archive/listing.hpp"

#include "core/error.hpp"
#include "core/file_list.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace jobrunner::archive {

namespace {
constexpr std::size_t piece = 64U << 10U;
}

void listing::begin() {
  hashed_ = 0;
  if (fd_ >= 0)
    hash_.emplace();
}

void listing::zeros(std::uint64_t until) {
  static constexpr std::array<char, piece> none{};
  while (hashed_ < until) {
    const auto n = std::min<std::uint64_t>(until - hashed_, none.size());
    hash_->update(none.data(), static_cast<std::size_t>(n));
    hashed_ += n;
  }
}

bool listing::add(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!hash_)
    return true;
  if (offset < hashed_)
    return bytes.empty();
  zeros(offset);
  hash_->update(bytes.data(), bytes.size());
  hashed_ += bytes.size();
  return true;
}

void listing::end(const std::string& path, std::uint64_t size) {
  if (!hash_)
    return;
  zeros(size);
  lines_ += to_line({path, size, hash_->finish()});
  hash_.reset();
  if (lines_.size() >= piece)
    finish();
}

void listing::finish() {
  for (std::size_t done = 0; done < lines_.size();) {
    const auto n = ::write(fd_, lines_.data() + done, lines_.size() - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      throw errno_failure("writing the list of files");
    done += static_cast<std::size_t>(n);
  }
  lines_.clear();
}

} // namespace jobrunner::archive
