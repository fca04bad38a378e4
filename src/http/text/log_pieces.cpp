#include "http/text/log_pieces.hpp"

#include "core/digest.hpp"
#include "core/text.hpp"
#include "http/text/server_sent.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

namespace jobrunner::http {

namespace {

/// Whether `bytes`, one to three of them, may begin a character whose rest is not there yet.
bool may_become_utf8(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  const std::size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (bytes.size() >= wanted)
    return false;
  for (const char fill : {'\x80', '\xbf'}) // the ends of what may follow
    if (utf8_length(std::string{bytes} + std::string(wanted - bytes.size(), fill)) == wanted)
      return true;
  return false;
}

} // namespace

log_piece next_piece(std::string_view bytes, bool more) {
  std::size_t good = 0;
  while (good < bytes.size()) {
    const auto n = utf8_length(bytes.substr(good));
    if (n == 0)
      break;
    good += n;
  }
  if (good > 0) {
    const auto line = bytes.substr(0, good).rfind('\n');
    return {line == std::string_view::npos ? good : line + 1, true};
  }
  std::size_t bad = 0;
  while (bad < bytes.size() && utf8_length(bytes.substr(bad)) == 0) {
    if (more && may_become_utf8(bytes.substr(bad)))
      break;
    ++bad;
  }
  return {bad, false};
}

std::string log_event(std::string_view piece, bool text, std::uint64_t next) {
  const auto id = static_cast<std::int64_t>(next);
  if (text)
    return server_sent(id, "",
                       boost::json::serialize(boost::json::string(piece.data(), piece.size())));
  return server_sent(id, "bytes", "\"" + base64(piece) + "\"");
}

} // namespace jobrunner::http
