#include "http/host_report.hpp"

#include "core/log.hpp"

#include <boost/json/parse.hpp>

#include <fstream>
#include <iterator>

namespace jobrunner::http {

host_report load_host_report(const std::filesystem::path& root) {
  const auto path = root / "run/host.json";
  std::ifstream file{path};
  if (!file)
    return {};
  try {
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto all = boost::json::parse(text).as_object();
    host_report found;
    for (const auto& problem : all.at("problems").as_array()) {
      found.problems.push_back(problem);
      log("main", "setting", {{"problem", std::string{problem.as_string()}}});
    }
    found.host = all.at("host").as_object();
    return found;
  } catch (const std::exception& e) {
    log("main", "no_host_report", {{"path", path.string()}, {"why", e.what()}});
    return {};
  }
}

} // namespace jobrunner::http
