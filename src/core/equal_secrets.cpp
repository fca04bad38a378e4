#include "core/equal_secrets.hpp"

namespace jobrunner {

bool equal_secrets(std::string_view given, std::string_view kept) {
  if (kept.empty())
    return given.empty();
  volatile unsigned differs = given.size() == kept.size() ? 0 : 1; // no shortcut for the compiler
  std::size_t at = 0;
  for (const char c : given) {
    differs = differs | static_cast<unsigned>(static_cast<unsigned char>(c) ^
                                              static_cast<unsigned char>(kept[at]));
    at = at + 1 == kept.size() ? 0 : at + 1;
  }
  return differs == 0;
}

} // namespace jobrunner
