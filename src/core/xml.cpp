#include "core/xml.hpp"

#include "core/error.hpp"

#include <expat.h>

#include <memory>
#include <type_traits>

namespace jobrunner {

namespace {

constexpr std::size_t most_open = 16;

struct release {
  void operator()(XML_Parser p) const noexcept { XML_ParserFree(p); }
};
using parser = std::unique_ptr<std::remove_pointer_t<XML_Parser>, release>;

struct reading {
  explicit reading(XML_Parser p) : expat(p) {}
  XML_Parser expat;
  xml_element root;
  std::vector<xml_element> open; // from the outermost
};

reading& reading_of(void* user) {
  return *static_cast<reading*>(user);
}

void on_start(void* user, const char* name, const char**) {
  auto& r = reading_of(user);
  if (r.open.size() == most_open) {
    XML_StopParser(r.expat, XML_FALSE);
    return;
  }
  const std::string_view full = name;
  r.open.push_back({std::string{full.substr(full.rfind(':') + 1)}, {}, {}});
}

void on_end(void* user, const char*) {
  auto& r = reading_of(user);
  auto done = std::move(r.open.back());
  r.open.pop_back();
  if (r.open.empty())
    r.root = std::move(done);
  else
    r.open.back().children.push_back(std::move(done));
}

void on_text(void* user, const char* text, int size) {
  reading_of(user).open.back().text.append(text, static_cast<std::size_t>(size));
}

void on_doctype(void* user, const char*, const char*, const char*, int) {
  XML_StopParser(reading_of(user).expat, XML_FALSE);
}

} // namespace

std::string_view xml_element::child(std::string_view wanted) const {
  for (const auto& c : children)
    if (c.name == wanted)
      return c.text;
  return {};
}

xml_element parse_xml(std::string_view text) {
  const parser expat{XML_ParserCreate("UTF-8")};
  if (!expat)
    throw failure(errc::internal, "expat cannot start");
  reading r{expat.get()};
  XML_SetUserData(expat.get(), &r);
  XML_SetElementHandler(expat.get(), on_start, on_end);
  XML_SetCharacterDataHandler(expat.get(), on_text);
  XML_SetStartDoctypeDeclHandler(expat.get(), on_doctype);
  if (text.size() > (64U << 20U) ||
      XML_Parse(expat.get(), text.data(), static_cast<int>(text.size()), XML_TRUE) != XML_STATUS_OK)
    throw failure(errc::unavailable, "the answer is no XML that can be read");
  return std::move(r.root);
}

} // namespace jobrunner
