#include "http/send_some.hpp"

#include "core/growing_file.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/sendfile.h>
#include <sys/socket.h>

namespace jobrunner::http {

namespace {

constexpr std::uint64_t looked_at = 32768; // so many last bytes are copied, and checked

void check(int file, const std::optional<file_stamp>& was) {
  if (was && !was->same_bytes(stamp_of(file)))
    cut_short("the file was changed while it was sent");
}

/// The last bytes, as they were when the file still was what it was.
ssize_t send_checked(int socket, int file, std::uint64_t first, std::uint64_t size,
                     const std::optional<file_stamp>& was) {
  std::array<char, looked_at> bytes; // NOLINT(cppcoreguidelines-pro-type-member-init): read next
  const auto n = read_at(file, {bytes.data(), static_cast<std::size_t>(size)}, first);
  if (n < size)
    return 0;
  check(file, was);
  return ::send(socket, bytes.data(), n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

} // namespace

void cut_short(const char* why) {
  throw boost::system::system_error(boost::asio::error::eof, why);
}

sent send_bytes(int socket, std::string_view bytes) {
  sent done;
  while (done.bytes < bytes.size()) {
    const auto n = ::send(socket, bytes.data() + done.bytes, bytes.size() - done.bytes,
                          MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);
    if (n >= 0) {
      done.bytes += static_cast<std::uint64_t>(n);
    } else if (errno != EINTR) {
      done.error = errno;
      break;
    }
  }
  return done;
}

sent send_data(int socket, int file, std::uint64_t first, std::uint64_t left,
               const std::optional<file_stamp>& was) {
  check(file, was);
  sent done;
  const auto goal = std::min<std::uint64_t>(left, slice);
  while (done.bytes < goal) {
    const auto from = first + done.bytes;
    const auto rest = left - done.bytes;
    auto offset = static_cast<off_t>(from);
    const auto n = was && rest <= looked_at
                       ? send_checked(socket, file, from, rest, was)
                       : ::sendfile(socket, file, &offset,
                                    std::min(goal - done.bytes, was ? rest - looked_at : rest));
    if (n > 0) {
      done.bytes += static_cast<std::uint64_t>(n);
    } else if (n == 0) {
      cut_short("the file became shorter while it was sent");
    } else if (errno != EINTR) {
      done.error = errno;
      break;
    }
  }
  return done;
}

} // namespace jobrunner::http
