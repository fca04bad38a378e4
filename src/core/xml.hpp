// A small XML document from somebody else, by expat, within bounds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner {

struct xml_element {
  std::string name; // without its namespace's prefix
  std::string text; // all that stands in it, its elements' left out
  std::vector<xml_element> children;

  /// The text of the first child of that name; "" if there is none.
  std::string_view child(std::string_view wanted) const;
};

/// The root element. No attributes. Throws failure{unavailable} for what is not well-formed, has a
/// document type (and so entities of its own), or is deeper than 16 elements: another answer of the
/// same service may be better.
xml_element parse_xml(std::string_view text);

} // namespace jobrunner
