// Bytes to clients: which of them a request asks for, and the way there, by sendfile(2).
#pragma once

#include "http/send_some.hpp"
#include "http/types.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <string>

namespace jobrunner::http {

/// The next bytes to a socket. Runs on the pool.
using send_step = std::function<sent(int socket)>;

/// Takes steps until `size` bytes are sent. Throws what the step throws, and as send_file.
asio::awaitable<void> send_all(asio::ip::tcp::socket& socket, std::uint64_t size,
                               asio::thread_pool& pool, send_step step,
                               std::function<void()> progress);

/// Sends the part; `progress` is called whenever the client has taken something. Throws
/// boost::system::system_error when the client is gone, or the file ends before its time or is not
/// what it was: the connection must then be closed, so that the client sees a short read instead of
/// wrong bytes.
asio::awaitable<void> send_file(asio::ip::tcp::socket& socket, file_part& part,
                                asio::thread_pool& pool, std::function<void()> progress);

/// How a file is shown.
struct file_answer {
  std::string name;                    // for Content-Disposition; empty: none
  std::string content_type;            // media type
  std::string etag{};                  // empty: made of what the file is now
  std::optional<std::uint64_t> size{}; // of it, if `etag` names so much
  std::optional<bool> same{}; // whether If-Range holds; none: where it has `etag` or the date
  bool stays = false;         // nobody should write to it any more: a change ends the transfer
};

/// What a request may have all of, or one range.
struct described_bytes {
  std::uint64_t size = 0;
  std::string etag;
  std::chrono::sys_seconds changed{};
  bool date_is_strong = true; // `changed` is another one whenever the bytes are
  std::string name, content_type;
  std::optional<bool> same{}; // as in file_answer
};

/// The answer's header, and which bytes follow it; nothing: none do (304, 416).
struct described {
  struct bytes {
    std::uint64_t first = 0, size = 0;
  };
  response head;
  std::optional<bytes> part;
};

/// The answer to GET or HEAD of such bytes.
described describe(const described_bytes& what, const beast::fields& request);

/// The answer to GET or HEAD of an open file: Content-Length, ETag, Last-Modified, Accept-Ranges,
/// and Range, If-Range, If-None-Match as the request has them.
response serve_file(unique_fd file, const file_answer& how, const beast::fields& request);

} // namespace jobrunner::http
