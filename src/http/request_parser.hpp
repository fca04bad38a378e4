// Beast's parser of a request, but what follows a chunked body changes nothing about its header.
#pragma once

#include "http/types.hpp"

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace jobrunner::http {

/// Beast 1.81 adds the fields of a trailer to the header that has been checked and acted on. Here
/// they are dropped, as RFC 9110, 6.5.1 allows, and those that would frame, route or authorise the
/// request end it with error::bad_field: nobody sends them in good faith.
class request_parser final : public beast::request_parser<beast::buffer_body> {
private:
  using text = boost::beast::string_view;

  void on_field_impl(beast::field name, text name_as_sent, text value,
                     boost::system::error_code& ec) override {
    if (!is_header_done())
      get().insert(name, name_as_sent, value);
    else if (name == beast::field::content_length || name == beast::field::transfer_encoding ||
             name == beast::field::host || name == beast::field::authorization)
      ec = beast::error::bad_field;
  }
};

} // namespace jobrunner::http
