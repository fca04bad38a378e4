// What instance.py found when it set this instance up (JR_ROOT/run/host.json): settings that could
// not be as they were asked for, and what the host allows. Read once.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <filesystem>

namespace jobrunner::http {

struct host_report {
  boost::json::array problems; // sentences, for health
  boost::json::object host;    // as GET /cluster shows it
};

/// Empty where there is no such file: the server was started without instance.py.
host_report load_host_report(const std::filesystem::path& root);

} // namespace jobrunner::http
