// Bytes of files to clients, by sendfile(2).
#pragma once

#include "http/types.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <string>

namespace jobrunner::http {

/// Sends the part; `progress` is called whenever the client has taken something. Throws
/// boost::system::system_error when the client is gone or the file ends before its time: the
/// connection must then be closed, so that the client sees a short read instead of wrong bytes.
asio::awaitable<void> send_file(asio::ip::tcp::socket& socket, file_part& part,
                                asio::thread_pool& pool, std::function<void()> progress);

/// How a file is shown.
struct file_answer {
  std::string name;                    // for Content-Disposition; empty: none
  std::string content_type;            // media type
  std::string etag{};                  // empty: made of what the file is now
  std::optional<std::uint64_t> size{}; // of it, if `etag` names so much
  std::optional<bool> same{}; // whether If-Range holds; none: where it has `etag` or the date
};

/// The answer to GET or HEAD of an open file: Content-Length, ETag, Last-Modified, Accept-Ranges,
/// and Range, If-Range, If-None-Match as the request has them.
response serve_file(unique_fd file, const file_answer& how, const beast::fields& request);

} // namespace jobrunner::http
