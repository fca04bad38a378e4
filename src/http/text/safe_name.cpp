#include "http/text/safe_name.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "http/text/ascii.hpp"

namespace jobrunner::http {

namespace {

constexpr std::size_t most = 255; // NAME_MAX of Linux

// The extension with its dot; what follows the last dot is none if it is long or all there is.
std::string_view extension(std::string_view name) {
  constexpr std::size_t longest = 32;
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || name.size() - dot > longest)
    return {};
  constexpr std::string_view tar = ".tar";
  const bool archive =
      dot > tar.size() && same_word(name.substr(dot - tar.size(), tar.size()), tar);
  return name.substr(archive ? dot - tar.size() : dot);
}

std::string cut(std::string_view name) {
  const auto ending = extension(name);
  auto stem = name.substr(0, most - ending.size());
  while (!is_utf8(stem)) // in the middle of a character
    stem.remove_suffix(1);
  while (stem.ends_with(' '))
    stem.remove_suffix(1);
  return std::string{stem}.append(ending);
}

bool has_control(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool latin = name[i] == '\xc2' && static_cast<unsigned char>(name[i + 1]) < 0xa0;
    if (is_control(name[i]) || latin) // U+0080 to U+009F: some terminals obey them
      return true;
  }
  return false;
}

} // namespace

std::string safe_name(std::string_view client_name) {
  const auto refuse = [&](const char* why) {
    throw failure{errc::invalid, "the file name " + shown(client_name) + " " + why};
  };
  const auto slash = client_name.find_last_of("/\\");
  const auto name = client_name.substr(slash == std::string_view::npos ? 0 : slash + 1);
  if (name.find_first_not_of(". ") == std::string_view::npos)
    refuse("names no file; give it a name such as data.zip");
  if (!is_utf8(name))
    refuse("is not valid UTF-8");
  if (has_control(name))
    refuse("holds control characters");
  if (name.starts_with(' ') || name.ends_with(' '))
    refuse("begins or ends with a blank");
  return name.size() <= most ? std::string{name} : cut(name);
}

} // namespace jobrunner::http
