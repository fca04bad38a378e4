#include "http/transfer.hpp"

#include "core/error.hpp"
#include "core/time.hpp"
#include "http/blocking.hpp"
#include "http/problem.hpp"
#include "http/text/conditions.hpp"
#include "http/text/disposition.hpp"
#include "http/text/range.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <poll.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

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

// A change of threads costs a quick client as much as it could be sent meanwhile: few transfers
// keep their threads for long, many share the pool.
constexpr auto long_turn = 500ms, short_turn = 5ms;
constexpr int few = 3; // fewer than the pool has threads
constexpr auto soon = 1ms;

/// Counts the transfers.
class under_way {
public:
  under_way() noexcept { ++count; }
  under_way(const under_way&) = delete;
  under_way& operator=(const under_way&) = delete;
  ~under_way() { --count; }
  static inline std::atomic<int> count = 0;
};

steady::duration turn() {
  return under_way::count <= few ? long_turn : short_turn;
}

bool has_room_soon(int socket) {
  pollfd room{socket, POLLOUT, 0};
  return poll(&room, 1, static_cast<int>(soon.count())) > 0;
}

/// Steps, until it is somebody else's turn, or `left` bytes are sent, or the client is not as quick
/// as `quick` says. A quick client is waited for right here: two switches of threads for each
/// windowful would cost as much as sending it.
sent take_turn(const send_step& step, int socket, std::uint64_t left, bool quick) {
  const auto began = steady::now();
  sent all;
  do {
    const auto one = step(socket);
    all.bytes += one.bytes;
    all.error = one.error;
    if (all.error == EAGAIN && quick && has_room_soon(socket))
      all.error = 0;
  } while (all.error == 0 && all.bytes < left && steady::now() - began < turn());
  return all;
}

/// Full segments only, while it lives (tcp(7), TCP_CORK): of what sendfile(2) hands over piece by
/// piece, TCP_NODELAY would send each piece's end on its own.
class cork {
public:
  explicit cork(asio::ip::tcp::socket& socket) noexcept : socket_(socket) { set(1); }
  cork(const cork&) = delete;
  cork& operator=(const cork&) = delete;
  ~cork() { set(0); }

private:
  void set(int on) noexcept {
    if (socket_.is_open())
      setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
  }

  asio::ip::tcp::socket& socket_;
};

} // namespace

asio::awaitable<void> send_all(asio::ip::tcp::socket& socket, std::uint64_t size,
                               asio::thread_pool& pool, send_step step,
                               std::function<void()> progress) {
  socket.native_non_blocking(true);
  const cork full_segments{socket};
  const under_way counted;
  bool quick = true; // the client
  while (size > 0) {
    const auto on_the_pool = [&, out = socket.native_handle()] {
      return take_turn(step, out, size, quick);
    };
    const auto done = co_await on(pool, on_the_pool);
    size -= done.bytes;
    if (done.bytes > 0)
      progress();
    if (done.error == EAGAIN) {
      const auto full = steady::now();
      co_await socket.async_wait(asio::ip::tcp::socket::wait_write, asio::use_awaitable);
      quick = steady::now() - full < soon;
    } else if (done.error != 0) {
      throw boost::system::system_error(done.error, boost::system::system_category());
    }
  }
}

asio::awaitable<void> send_file(asio::ip::tcp::socket& socket, file_part& part,
                                asio::thread_pool& pool, std::function<void()> progress) {
  send_step step = [&part](int out) {
    const auto done = send_data(out, part.file.get(), part.first, part.size, part.was);
    part.first += done.bytes;
    part.size -= done.bytes;
    return done;
  };
  co_await send_all(socket, part.size, pool, step, progress);
}

described describe(const described_bytes& what, const beast::fields& request) {
  described answer;
  auto& m = answer.head.message;
  m.set(beast::field::etag, what.etag);
  m.set(beast::field::last_modified, to_http_date(what.changed));
  m.set(beast::field::accept_ranges, "bytes");
  if (request.count(beast::field::if_none_match) > 0 &&
      !none_match(view(request[beast::field::if_none_match]), what.etag)) {
    m.result(beast::status::not_modified);
    return answer;
  }
  m.set(beast::field::content_type, what.content_type);
  m.set("X-Content-Type-Options", "nosniff");
  if (!what.name.empty())
    m.set(beast::field::content_disposition, attachment(what.name));
  range_answer asked = whole{};
  const auto if_range = view(request[beast::field::if_range]);
  const bool may_match = what.date_is_strong || if_range.find('"') != std::string_view::npos;
  const bool still_same = request.count(beast::field::if_range) == 0 || what.same.value_or(false) ||
                          (may_match && if_range_matches(if_range, what.etag, what.changed));
  if (request.count(beast::field::range) > 0 && still_same)
    asked = parse_range(view(request[beast::field::range]), what.size);
  const auto size = std::to_string(what.size);
  if (std::holds_alternative<unsatisfiable>(asked)) {
    answer.head = problem(416, "the file has " + size + " bytes, and the range is not within them");
    answer.head.message.set(beast::field::content_range, "bytes */" + size);
    return answer;
  }
  answer.part = {0, what.size};
  if (const auto* part = std::get_if<byte_range>(&asked)) {
    m.result(beast::status::partial_content);
    m.set(beast::field::content_range,
          "bytes " + std::to_string(part->first) + "-" + std::to_string(part->last) + "/" + size);
    answer.part = {part->first, part->size()};
  }
  m.content_length(answer.part->size);
  return answer;
}

response serve_file(unique_fd file, const file_answer& how, const beast::fields& request) {
  struct stat about {};
  if (fstat(file.get(), &about) != 0)
    throw errno_failure("look at the file");
  described_bytes what;
  what.size = how.size.value_or(static_cast<std::uint64_t>(about.st_size));
  what.etag = how.etag.empty() ? etag_of(about) : how.etag;
  what.changed = std::chrono::sys_seconds{std::chrono::seconds{about.st_mtim.tv_sec}};
  what.name = how.name;
  what.content_type = how.content_type;
  what.same = how.same;
  auto answer = describe(what, request);
  if (answer.part)
    answer.head.file = file_part{std::move(file), answer.part->first, answer.part->size, {}};
  if (answer.part && how.stays)
    answer.head.file->was = stamp_of(about);
  return std::move(answer.head);
}

} // namespace jobrunner::http
