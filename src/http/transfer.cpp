#include "http/transfer.hpp"

#include "core/error.hpp"
#include "core/time.hpp"
#include "http/blocking.hpp"
#include "http/problem.hpp"
#include "http/text/conditions.hpp"
#include "http/text/disposition.hpp"
#include "http/text/range.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <cstdio>
#include <sys/sendfile.h>
#include <sys/stat.h>

namespace jobrunner::http {

namespace {

constexpr std::size_t slice = 4 << 20; // sent by one visit to the pool, so that downloads share it

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

struct sent {
  std::uint64_t bytes = 0;
  int error = 0; // errno; EAGAIN: the client's window is full
  bool short_file = false;
};

/// As much of a slice as the socket takes now.
sent send_slice(int socket, int file, std::uint64_t first, std::uint64_t left) {
  sent done;
  const auto goal = std::min<std::uint64_t>(left, slice);
  while (done.bytes < goal) {
    auto offset = static_cast<off_t>(first + done.bytes);
    const auto n = ::sendfile(socket, file, &offset, goal - done.bytes);
    if (n > 0) {
      done.bytes += static_cast<std::uint64_t>(n);
    } else if (n == 0) {
      done.short_file = true;
      break;
    } else if (errno != EINTR) {
      done.error = errno;
      break;
    }
  }
  return done;
}

/// Strong: inode, size and nanoseconds of the last change.
std::string etag_of(const struct stat& about) {
  std::array<char, 96> tag{};
  std::snprintf(tag.data(), tag.size(), "\"%llx-%llx-%llx%09lx\"",
                static_cast<unsigned long long>(about.st_ino),
                static_cast<unsigned long long>(about.st_size),
                static_cast<unsigned long long>(about.st_mtim.tv_sec),
                static_cast<unsigned long>(about.st_mtim.tv_nsec));
  return tag.data();
}

} // namespace

asio::awaitable<void> send_file(asio::ip::tcp::socket& socket, file_part& part,
                                asio::thread_pool& pool, std::function<void()> progress) {
  socket.native_non_blocking(true);
  while (part.size > 0) {
    const auto step = [&, out = socket.native_handle()] {
      return send_slice(out, part.file.get(), part.first, part.size);
    };
    const auto done = co_await on(pool, step);
    part.first += done.bytes;
    part.size -= done.bytes;
    if (done.bytes > 0)
      progress();
    if (done.short_file)
      throw boost::system::system_error(asio::error::eof,
                                        "the file became shorter while it was sent");
    if (done.error == EAGAIN)
      co_await socket.async_wait(asio::ip::tcp::socket::wait_write, asio::use_awaitable);
    else if (done.error != 0)
      throw boost::system::system_error(done.error, boost::system::system_category());
  }
}

response serve_file(unique_fd file, const file_answer& how, const beast::fields& request) {
  struct stat about {};
  if (fstat(file.get(), &about) != 0)
    throw errno_failure("look at the file");
  const auto size = how.size.value_or(static_cast<std::uint64_t>(about.st_size));
  const std::chrono::sys_seconds changed{std::chrono::seconds{about.st_mtim.tv_sec}};
  const auto etag = how.etag.empty() ? etag_of(about) : how.etag;
  response res;
  auto& m = res.message;
  m.set(beast::field::etag, etag);
  m.set(beast::field::last_modified, to_http_date(changed));
  m.set(beast::field::accept_ranges, "bytes");
  if (request.count(beast::field::if_none_match) > 0 &&
      !none_match(view(request[beast::field::if_none_match]), etag)) {
    m.result(beast::status::not_modified);
    return res;
  }
  m.set(beast::field::content_type, how.content_type);
  m.set("X-Content-Type-Options", "nosniff");
  if (!how.name.empty())
    m.set(beast::field::content_disposition, attachment(how.name));
  range_answer asked = whole{};
  const bool still_same = request.count(beast::field::if_range) == 0 || how.same.value_or(false) ||
                          if_range_matches(view(request[beast::field::if_range]), etag, changed);
  if (request.count(beast::field::range) > 0 && still_same)
    asked = parse_range(view(request[beast::field::range]), size);
  res.file = file_part{std::move(file), 0, size};
  if (const auto* part = std::get_if<byte_range>(&asked)) {
    m.result(beast::status::partial_content);
    m.set(beast::field::content_range, "bytes " + std::to_string(part->first) + "-" +
                                           std::to_string(part->last) + "/" + std::to_string(size));
    res.file->first = part->first;
    res.file->size = part->size();
  } else if (std::holds_alternative<unsatisfiable>(asked)) {
    auto refused = problem(416, "the file has " + std::to_string(size) +
                                    " bytes, and the range is not within them");
    refused.message.set(beast::field::content_range, "bytes */" + std::to_string(size));
    return refused;
  }
  m.content_length(res.file->size);
  return res;
}

} // namespace jobrunner::http
