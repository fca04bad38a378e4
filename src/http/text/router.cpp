#include "http/text/router.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "http/text/urlencoded.hpp"

#include <algorithm>

namespace jobrunner::http {

namespace {

// The segment that `path` begins with behind its slash, and `path` behind that segment.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

} // namespace

target_parts split_target(std::string_view target) {
  const auto path = target.substr(0, target.find('?'));
  return {path, target.substr(std::min(path.size() + 1, target.size()))};
}

std::vector<std::string> split_path(std::string_view raw_path) {
  if (!raw_path.starts_with('/'))
    throw failure{errc::invalid, "the path is " + shown(raw_path) + "; it must begin with /"};
  std::vector<std::string> segments;
  while (!raw_path.empty()) {
    segments.push_back(percent_decode(take_segment(raw_path)));
    if (!is_utf8(segments.back()))
      throw failure{errc::invalid,
                    "the path holds " + shown(segments.back()) + ", which is not valid UTF-8"};
  }
  return segments;
}

std::optional<std::size_t> holes_filled(pattern shape, const std::vector<std::string>& segments) {
  auto rest = shape.text();
  std::size_t holes = 0;
  for (const auto& segment : segments) {
    if (rest.empty())
      return {};
    const auto wanted = take_segment(rest);
    if (wanted.starts_with('{') && !segment.empty())
      ++holes;
    else if (wanted != segment)
      return {};
  }
  return rest.empty() ? std::optional{holes} : std::nullopt;
}

std::vector<std::string> fillings(pattern shape, const std::vector<std::string>& segments) {
  auto rest = shape.text();
  std::vector<std::string> filled;
  for (const auto& segment : segments)
    if (take_segment(rest).starts_with('{'))
      filled.push_back(segment);
  return filled;
}

} // namespace jobrunner::http
