#include "core/log.hpp"

#include "core/time.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace jobrunner {

namespace {

constexpr std::size_t longest_value = 1000;

bool plain(unsigned char c) {
  return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

} // namespace

std::string log_value(std::string_view text) {
  const bool cut = text.size() > longest_value;
  text = text.substr(0, longest_value);
  if (!text.empty() && !cut && std::ranges::all_of(text, plain))
    return std::string{text};
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < ' ' || u >= 0x7f) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\x%02x", u);
      out += code.data();
    } else {
      out += c;
    }
  }
  return out + (cut ? "...\"" : "\"");
}

void log(std::string_view at, std::string_view event,
         std::initializer_list<std::pair<std::string_view, std::string>> more) {
  std::string line = to_rfc3339(now()) + " at=" + std::string{at} + " event=" + std::string{event};
  for (const auto& [key, value] : more)
    line += " " + std::string{key} + "=" + log_value(value);
  line += '\n';
  // One write a line: lines of two threads never mix. A full disk must not stop the server.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace jobrunner
