#include "options.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

namespace bench {

options::options(int argc, char** argv) {
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (name.rfind("--", 0) != 0 || i + 1 == argc) {
      std::cerr << "--name value is expected, not '" << name << "'\n";
      std::exit(2);
    }
    given_[name.substr(2)].emplace_back(argv[i + 1]);
  }
}

std::string options::text(const std::string& name, const std::string& otherwise) const {
  const auto it = given_.find(name);
  return it == given_.end() ? otherwise : it->second.back();
}

double options::number(const std::string& name, double otherwise) const {
  return has(name) ? std::stod(text(name)) : otherwise;
}

std::vector<std::string> options::all(const std::string& name) const {
  const auto it = given_.find(name);
  return it == given_.end() ? std::vector<std::string>{} : it->second;
}

options options::with(const values& others) const {
  auto changed = *this;
  for (const auto& [name, value] : others)
    changed.given_[name] = value;
  return changed;
}

std::string request(const options& given, const std::string& path) {
  auto body = given.text("body");
  if (given.has("body-file")) {
    std::ifstream file{given.text("body-file"), std::ios::binary};
    body.assign(std::istreambuf_iterator<char>{file}, {});
  }
  auto bytes = given.text("method", "GET") + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
  for (const auto& header : given.all("header"))
    bytes += header + "\r\n";
  if (!body.empty() || given.text("method", "GET") != "GET")
    bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return bytes + "\r\n" + body;
}

} // namespace bench
