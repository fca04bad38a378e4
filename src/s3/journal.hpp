// What a transfer has reached, so that it can go on after the server was killed: a file of JSON
// lines, only ever appended to. A line that was cut is not there.
#pragma once

#include "core/unique_fd.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace jobrunner::s3 {

class journal {
public:
  /// Opens or makes the file. Throws failure{internal, disk_full}, as all here does.
  explicit journal(const std::filesystem::path& file);

  /// Reads it from its beginning, line by line, and cuts off what is no whole line.
  void read(const std::function<void(const boost::json::object&)>& each);

  /// Durable when it returns, if `sync`.
  void append(const boost::json::object& line, bool sync = true);

  void clear(); // as if it had been new

private:
  unique_fd file_;
};

std::string text_in(const boost::json::object& line, const char* name);    // "" if it has none
std::int64_t number_in(const boost::json::object& line, const char* name); // -1 if it has none

} // namespace jobrunner::s3
