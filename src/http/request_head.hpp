// Reads the header of a request. Beast's own reader unfolds continuation lines before anybody can
// see them, so this one hands the bytes to the parser itself and looks at what it took.
#pragma once

#include "http/request_parser.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

namespace jobrunner::http {

struct request_head {
  boost::system::error_code error; // end_of_stream: closed before the first byte
  bool folded = false;             // a field went on in a second line (obs-fold, RFC 9112, 5.2)
};

/// Until `parser` has a whole header. What follows it stays in `buffer`.
asio::awaitable<request_head> read_head(asio::ip::tcp::socket& socket,
                                        boost::beast::flat_buffer& buffer, request_parser& parser);

} // namespace jobrunner::http
