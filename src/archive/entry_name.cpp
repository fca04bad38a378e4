#include "archive/entry_name.hpp"

#include "archive/refusal.hpp"
#include "archive/utf8.hpp"
#include "core/error.hpp"

#include <algorithm>
#include <array>

namespace jobrunner::archive {
namespace {

void check_characters(std::string_view raw) {
  for (auto rest = raw; !rest.empty();) {
    const auto length = printable_prefix(rest);
    if (length == 0)
      refuse(raw, "has a name with control characters or bytes that are not UTF-8; names must be "
                  "UTF-8 text.");
    if (rest.front() == '\\')
      refuse(raw, "has a backslash in its name; folders are separated by \"/\".");
    rest.remove_prefix(length);
  }
}

void check_start(std::string_view raw) {
  const bool drive = raw.size() >= 2 && raw[1] == ':' && (raw.size() == 2 || raw[2] == '/') &&
                     ((raw[0] >= 'a' && raw[0] <= 'z') || (raw[0] >= 'A' && raw[0] <= 'Z'));
  if (raw.front() == '/' || drive)
    refuse(raw, "has an absolute name; names must be relative to the archive's own top folder.");
}

} // namespace

std::string entry_path(std::string_view raw, bool folder) {
  if (raw.empty())
    throw failure{errc::unprocessable, "The archive was refused: an entry has no name; every entry "
                                       "must have a relative name."};
  check_characters(raw);
  check_start(raw);
  if (!folder && raw.back() == '/')
    refuse(raw, "is a file, but its name ends in \"/\".");

  std::string path;
  std::size_t depth = 0;
  for (std::size_t begin = 0; begin < raw.size();) {
    const auto end = std::min(raw.find('/', begin), raw.size());
    const auto component = raw.substr(begin, end - begin);
    begin = end + 1;
    if (component.empty() || component == ".")
      continue;
    if (component == "..")
      refuse(raw, "climbs out of its folder; names must be relative and without \"..\".");
    if (component.size() > max_component)
      refuse(raw, "has a part longer than 255 bytes; file systems take no more.");
    if (++depth > max_depth)
      refuse(raw, "is nested deeper than 64 folders.");
    if (!path.empty())
      path += '/';
    path += component;
    if (path.size() > max_path)
      refuse(raw, "has a name longer than 1024 bytes.");
  }
  if (path.empty() && !folder)
    refuse(raw, "is a file, but its name is that of the top folder.");
  return path;
}

std::string shown(std::string_view raw) {
  constexpr std::size_t most = 200;
  constexpr std::array digits{'0', '1', '2', '3', '4', '5', '6', '7',
                              '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  std::string text = "\"";
  while (!raw.empty() && text.size() < most) {
    const auto length = printable_prefix(raw);
    if (length == 0 || raw.front() == '"' || raw.front() == '\\') {
      const auto byte = static_cast<unsigned char>(raw.front());
      text += {'\\', 'x', digits.at(byte >> 4U), digits.at(byte & 15U)};
      raw.remove_prefix(1);
    } else {
      text += raw.substr(0, length);
      raw.remove_prefix(length);
    }
  }
  return text + (raw.empty() ? "\"" : "...\"");
}

} // namespace jobrunner::archive
