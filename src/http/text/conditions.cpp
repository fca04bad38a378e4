#include "http/text/conditions.hpp"

#include "core/time.hpp"
#include "http/text/ascii.hpp"

namespace jobrunner::http {

namespace {

std::string_view opaque(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

// The tag that `rest` begins with, and `rest` behind it; empty if it begins with none.
std::string_view take_tag(std::string_view& rest) {
  const std::size_t quote = rest.starts_with("W/") ? 2 : 0;
  if (rest.size() <= quote || rest[quote] != '"')
    return {};
  const auto end = rest.find('"', quote + 1); // no escapes in a tag, but commas
  if (end == std::string_view::npos)
    return {};
  const auto tag = rest.substr(0, end + 1);
  rest.remove_prefix(tag.size());
  return tag;
}

} // namespace

bool none_match(std::string_view header, std::string_view etag) {
  auto rest = trimmed(header);
  if (rest == "*")
    return false;
  while (!rest.empty()) {
    if (rest[0] == ',' || rest[0] == ' ' || rest[0] == '\t') {
      rest.remove_prefix(1);
      continue;
    }
    const auto tag = take_tag(rest);
    if (tag.empty())
      return true; // malformed: sending the file is always right
    if (opaque(tag) == opaque(etag))
      return false;
  }
  return true;
}

bool if_range_matches(std::string_view header, std::string_view etag,
                      std::chrono::sys_seconds last_modified) {
  header = trimmed(header);
  if (header.starts_with('"') || header.starts_with("W/"))
    return header == etag && !header.starts_with("W/");
  return header == to_http_date(last_modified);
}

} // namespace jobrunner::http
