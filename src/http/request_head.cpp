#include "http/request_head.hpp"

#include "http/text/request_check.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/read_size.hpp>
#include <boost/beast/http/error.hpp>

namespace jobrunner::http {

namespace {

constexpr std::size_t largest_read = 65536;

/// Lets the parser take what it can of the buffer. It takes a field only when it has seen how the
/// next line begins, so no folded one is ever in two pieces.
void parse(boost::beast::flat_buffer& buffer, request_parser& parser, request_head& head) {
  const auto bytes = buffer.cdata();
  const auto taken = parser.put(bytes, head.error);
  head.folded = head.folded || has_folded_line({static_cast<const char*>(bytes.data()), taken});
  buffer.consume(taken);
  if (head.error == beast::error::need_more)
    head.error = {};
}

} // namespace

asio::awaitable<request_head> read_head(asio::ip::tcp::socket& socket,
                                        boost::beast::flat_buffer& buffer, request_parser& parser) {
  request_head head;
  for (;;) {
    if (buffer.size() > 0)
      parse(buffer, parser, head);
    if (head.error || parser.is_header_done())
      co_return head;
    const auto room = boost::beast::read_size(buffer, largest_read);
    if (room == 0) {
      head.error = beast::error::buffer_overflow;
      co_return head;
    }
    const auto n = co_await socket.async_read_some(
        buffer.prepare(room), asio::redirect_error(asio::use_awaitable, head.error));
    buffer.commit(n);
    if (head.error == asio::error::eof)
      head.error = parser.got_some() ? beast::error::partial_message : beast::error::end_of_stream;
  }
}

} // namespace jobrunner::http
