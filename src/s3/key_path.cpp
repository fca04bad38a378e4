#include "s3/key_path.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace jobrunner::s3 {

namespace {

constexpr std::size_t longest = 1024, longest_part = 255, most_parts = 64;

bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool latin = byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f || latin) // C0, DEL, C1
      return true;
  }
  return false;
}

/// Why `key` can be no path; "" if it can.
std::string wrong_with(std::string_view key) {
  if (key.empty())
    return "is empty";
  if (!is_utf8(key))
    return "is not UTF-8";
  if (has_control(key))
    return "holds control characters";
  if (key.find('\\') != std::string_view::npos)
    return "holds a backslash";
  if (key.size() > longest)
    return "is longer than 1024 bytes";
  std::size_t parts = 0;
  for (std::size_t begin = 0; begin <= key.size();) {
    const auto end = std::min(key.find('/', begin), key.size());
    const auto part = key.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty())
      return "begins or ends with a slash, or has two together";
    if (part == "." || part == "..")
      return "has a part that is . or ..";
    if (part.size() > longest_part)
      return "has a part longer than 255 bytes";
    if (++parts > most_parts)
      return "has more than 64 parts";
  }
  return {};
}

} // namespace

std::string key_path(std::string_view key) {
  if (const auto why = wrong_with(key); !why.empty())
    throw failure(errc::unprocessable,
                  "the key " + shown(key) + " " + why + ", so it cannot be a file's path here");
  return std::string{key};
}

std::string key_name(std::string_view key) {
  key_path(key);
  return std::string{key.substr(key.rfind('/') + 1)};
}

std::string export_prefix(std::string_view prefix) {
  if (prefix.ends_with('/'))
    prefix.remove_suffix(1);
  if (prefix.empty())
    return {};
  if (const auto why = wrong_with(prefix); !why.empty())
    throw failure(errc::invalid,
                  "prefix is " + shown(prefix) + ", but it " + why + "; such as runs/42");
  return std::string{prefix} + "/";
}

} // namespace jobrunner::s3
