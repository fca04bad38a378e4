// Which endpoint a path means. A path is split before it is decoded, so that a %2F stays inside its
// segment, and it is decoded once.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::http {

/// A path with holes, such as "/jobs/{id}/log", for constexpr tables of endpoints. One that is
/// malformed does not compile: it begins with '/', has no empty segment (but "/" itself), and a
/// segment is either all hole or none.
class pattern {
public:
  // NOLINTNEXTLINE(google-explicit-constructor): a table is to read like what it says
  consteval pattern(const char* text) : text_(text) {
    const std::string_view all{text_};
    if (!all.starts_with('/'))
      throw std::invalid_argument("a pattern begins with /");
    for (std::size_t at = 1; all.size() > 1 && at <= all.size();) {
      const auto segment = all.substr(at, all.find('/', at) - at);
      const bool hole = segment.starts_with('{') && segment.ends_with('}');
      const auto inside = hole ? segment.substr(1, segment.size() - 2) : segment;
      if (inside.empty() || inside.find_first_of("{}%?") != std::string_view::npos)
        throw std::invalid_argument("a segment is text or {name}");
      at += segment.size() + 1;
    }
  }
  constexpr std::string_view text() const { return text_; }

private:
  std::string_view text_;
};

/// The two parts of a request target; the query without its '?'.
struct target_parts {
  std::string_view path;
  std::string_view query;
};
target_parts split_target(std::string_view target);

/// The segments of "/jobs/7/log", decoded: "jobs", "7", "log". A slash at the end makes an empty
/// last segment, which no pattern but "/" has.
/// Throws failure{invalid}: a bad escape, %00, or a segment that is not UTF-8.
std::vector<std::string> split_path(std::string_view raw_path);

/// How many holes of the pattern the path fills, where it has the pattern's shape. A hole takes one
/// segment, which is not empty but may be anything else, ".." and slashes too: whoever makes a file
/// name of it must check it.
std::optional<std::size_t> holes_filled(pattern, const std::vector<std::string>& segments);

/// What fills them, in their order, of a path that has the shape.
std::vector<std::string> fillings(pattern, const std::vector<std::string>& segments);

} // namespace jobrunner::http
