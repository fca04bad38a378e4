#include "http/text/request_check.hpp"

#include "core/text.hpp"
#include "http/text/ascii.hpp"
#include "http/text/limits.hpp"

namespace jobrunner::http {

namespace {

using result = std::optional<verdict>;

// The values of the headers of that name.
std::vector<std::string_view> all(const framing& request, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : request.headers)
    if (same_word(key, name))
      values.push_back(trimmed(value));
  return values;
}

result check_target(std::string_view target) {
  if (target.size() > max_target)
    return verdict{414, "the request target is longer than 8000 bytes"};
  if (!target.starts_with('/'))
    return verdict{400, "the request target is " + shown(target) +
                            "; it must be a path that begins with /"};
  for (const char c : target)
    if (is_control(c) || c == ' ' || c == '#' || static_cast<unsigned char>(c) >= 0x80)
      return verdict{400, "the request target " + shown(target) +
                              " holds a byte that must be percent-encoded"};
  return {};
}

// One reader takes a folded line for a part of the field before it, another for nothing or for a
// field of its own.
result check_headers(const framing& request) {
  if (request.folded)
    return verdict{400, "a header field is folded over several lines; each must be on one line"};
  if (request.headers.size() > max_headers)
    return verdict{431, "more than 100 header fields"};
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name))
      return verdict{400, shown(name) + " is no name of a header field"};
    if (value.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos)
      return verdict{400, "the header field " + shown(name) + " holds a line end or a zero byte"};
  }
  return {};
}

result check_host(const framing& request) {
  constexpr std::string_view marks = "-._~%!$&'()*+,;=:[]"; // uri-host and port of RFC 3986
  const auto hosts = all(request, "host");
  if (hosts.size() > 1 || (hosts.empty() && request.version >= 11))
    return verdict{400,
                   "a request needs one Host header field, not " + std::to_string(hosts.size())};
  for (const auto host : hosts)
    for (const char c : host)
      if (!is_alnum(c) && marks.find(c) == std::string_view::npos)
        return verdict{400, "Host is " + shown(host) + ", which is no name of a host"};
  return {};
}

result check_body(const framing& request) {
  const auto codings = all(request, "transfer-encoding");
  const auto lengths = all(request, "content-length");
  if (lengths.size() > 1)
    return verdict{400, "Content-Length is given more than once"};
  for (const auto length : lengths)
    if (length.empty() || !std::ranges::all_of(length, is_digit))
      return verdict{400, "Content-Length is " + shown(length) + "; it must be a number of bytes"};
  if (codings.empty())
    return {};
  if (codings.size() > 1 || !same_word(codings[0], "chunked"))
    return verdict{400, "Transfer-Encoding is " + shown(codings[0]) +
                            "; only chunked, once, is understood"};
  if (request.version < 11)
    return verdict{400, "HTTP/1.0 has no Transfer-Encoding"};
  if (!lengths.empty())
    return verdict{400, "Transfer-Encoding and Content-Length exclude each other"};
  return {};
}

} // namespace

bool has_folded_line(std::string_view raw) {
  for (auto end = raw.find('\n'); end != std::string_view::npos; end = raw.find('\n', end + 1))
    if (end + 1 < raw.size() && (raw[end + 1] == ' ' || raw[end + 1] == '\t'))
      return true;
  return false;
}

std::optional<verdict> check_framing(const framing& request) {
  if (request.version != 10 && request.version != 11)
    return verdict{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  if (auto bad = check_target(request.target))
    return bad;
  if (auto bad = check_headers(request))
    return bad;
  if (auto bad = check_host(request))
    return bad;
  if (auto bad = check_body(request))
    return bad;
  if (all(request, "authorization").size() > 1)
    return verdict{401, "Authorization is given more than once"};
  for (const auto expectation : all(request, "expect"))
    if (!same_word(expectation, "100-continue"))
      return verdict{417, "Expect is " + shown(expectation) + "; only 100-continue is known"};
  return {};
}

} // namespace jobrunner::http
