// The command line of the clients: --name value, some of them several times.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bench {

class options {
public:
  using values = std::map<std::string, std::vector<std::string>>;

  options(int argc, char** argv);

  /// What was given as --name, the last time; `otherwise` if it was not.
  std::string text(const std::string& name, const std::string& otherwise = "") const;
  double number(const std::string& name, double otherwise) const;
  std::vector<std::string> all(const std::string& name) const;
  /// The same with these instead.
  options with(const values& others) const;
  bool has(const std::string& name) const { return given_.count(name) > 0; }

private:
  values given_;
};

/// The bytes of a request for `path`, by --method, --header, --body or --body-file.
std::string request(const options& given, const std::string& path);

} // namespace bench
