#include "archive/input.hpp"

#include "core/error.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace jobrunner::archive {

input::input(int fd, budget& spent) : fd_(fd), spent_(spent) {
  constexpr std::size_t piece = 256U << 10U; // four fills of a pipe of Linux's default size
  buffer_.resize(piece);
}

std::size_t input::read_to(std::size_t offset) {
  for (;;) {
    const auto n = ::read(fd_, buffer_.data() + offset, buffer_.size() - offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      throw errno_failure("reading the archive");
    spent_.consumed(static_cast<std::uint64_t>(n));
    return static_cast<std::size_t>(n);
  }
}

std::span<const std::byte> input::peek() {
  while (peeked_ < 2) {
    const auto n = read_to(peeked_);
    if (n == 0)
      break;
    peeked_ += n;
  }
  return {buffer_.data(), peeked_};
}

std::span<const std::byte> input::next() {
  const auto have = std::exchange(peeked_, 0);
  return {buffer_.data(), have > 0 ? have : read_to(0)};
}

} // namespace jobrunner::archive
