#include "http/text/part_header.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "http/text/ascii.hpp"
#include "http/text/header_value.hpp"
#include "http/text/limits.hpp"
#include "http/text/urlencoded.hpp"

namespace jobrunner::http {

namespace {

// Browsers and curl write a quote in a name as %22, and that alone.
std::string unquote(std::string_view text) {
  constexpr std::string_view quote = "%22";
  std::string name;
  while (!text.empty()) {
    const bool quoted = text.starts_with(quote);
    name += quoted ? '"' : text[0];
    text.remove_prefix(quoted ? quote.size() : 1);
  }
  if (!is_utf8(name))
    refuse_multipart("the name " + shown(name) + " is not valid UTF-8");
  return name;
}

// charset'language'percent-encoded (RFC 8187, 3.2)
std::string extended(std::string_view text) {
  const auto first = text.find('\'');
  const auto second = first == std::string_view::npos ? first : text.find('\'', first + 1);
  if (second == std::string_view::npos || !same_word(text.substr(0, first), "utf-8"))
    refuse_multipart("filename* is " + shown(text) + "; it must be UTF-8''name, percent-encoded");
  std::string name = percent_decode(text.substr(second + 1));
  if (!is_utf8(name))
    refuse_multipart("the name " + shown(name) + " is not valid UTF-8");
  return name;
}

void read_disposition(std::string_view text, part_header& part) {
  const auto disposition = parse_header_value(text);
  if (disposition.value != "form-data")
    refuse_multipart("Content-Disposition of a part is " + shown(disposition.value) +
                     "; it must be form-data");
  const auto name = disposition.param("name");
  if (!name || name->empty())
    refuse_multipart("a part has no name in its Content-Disposition");
  part.name = unquote(*name);
  if (const auto plain = disposition.param("filename"))
    part.filename = unquote(*plain);
  if (const auto better = disposition.param("filename*"))
    part.filename = extended(*better);
}

bool is_identity(std::string_view encoding) {
  return same_word(encoding, "binary") || same_word(encoding, "8bit") ||
         same_word(encoding, "7bit");
}

} // namespace

void refuse_multipart(const std::string& what) {
  throw failure{errc::invalid, "multipart body: " + what};
}

part_header parse_part_header(std::string_view lines) {
  part_header part;
  std::size_t count = 0;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find("\r\n"));
    lines.remove_prefix(std::min(line.size() + 2, lines.size()));
    if (++count > max_part_headers)
      refuse_multipart("a part has more than 16 header lines");
    const auto name = line.substr(0, line.find(':'));
    if (name.size() == line.size() || !is_token(name))
      refuse_multipart("the header line " + shown(line) + " of a part is not `name: value`");
    const auto value = trimmed(line.substr(name.size() + 1));
    for (const char c : value)
      if (is_control(c) && c != '\t')
        refuse_multipart("the header line " + shown(line) + " of a part holds a control byte");
    if (same_word(name, "content-disposition")) {
      if (!part.name.empty())
        refuse_multipart("a part has two Content-Disposition headers");
      read_disposition(value, part);
    } else if (same_word(name, "content-type")) {
      part.content_type = value;
    } else if (same_word(name, "content-transfer-encoding") && !is_identity(value)) {
      refuse_multipart("Content-Transfer-Encoding is " + shown(value) +
                       "; send the bytes as they are");
    }
  }
  if (part.name.empty())
    refuse_multipart("a part has no Content-Disposition header");
  if (part.content_type.empty())
    part.content_type = "text/plain"; // RFC 7578, 4.4
  return part;
}

bool is_boundary(std::string_view boundary) {
  constexpr std::string_view marks = "'()+_,-./:=? ";
  if (boundary.empty() || boundary.size() > 70 || boundary.back() == ' ')
    return false;
  return std::ranges::all_of(
      boundary, [&](char c) { return is_alnum(c) || marks.find(c) != std::string_view::npos; });
}

std::string boundary_of(std::string_view content_type) {
  const auto type = parse_header_value(content_type);
  if (type.value != "multipart/form-data")
    throw failure{errc::unsupported,
                  "Content-Type is " + shown(type.value) + "; multipart/form-data is needed"};
  auto boundary = type.param("boundary");
  if (!boundary)
    throw failure{errc::invalid, "Content-Type multipart/form-data comes without a boundary; let "
                                 "the HTTP client set this header"};
  if (!is_boundary(*boundary))
    throw failure{errc::invalid, "the boundary " + shown(*boundary) +
                                     " is none: 1 to 70 letters, digits and '()+_,-./:=?"};
  return std::move(*boundary);
}

} // namespace jobrunner::http
