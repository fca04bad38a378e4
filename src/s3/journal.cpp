#include "s3/journal.hpp"

#include "core/durable.hpp"
#include "core/error.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <string>
#include <sys/stat.h>

namespace jobrunner::s3 {

journal::journal(const std::filesystem::path& file)
    : file_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_APPEND, 0600)) {
  if (!file_)
    throw errno_failure("open a transfer's journal");
}

void journal::read(const std::function<void(const boost::json::object&)>& each) {
  std::array<char, 65536> buffer{};
  std::string rest;
  off_t whole = 0, at = 0;
  for (;;) {
    const auto n = ::pread(file_.get(), buffer.data(), buffer.size(), at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      throw errno_failure("read a transfer's journal");
    if (n == 0)
      break;
    at += n;
    rest.append(buffer.data(), static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
      boost::json::error_code ec;
      const auto line = boost::json::parse({rest.data() + begin, end - begin}, ec);
      if (!ec && line.is_object())
        each(line.get_object());
      begin = end + 1;
    }
    whole += static_cast<off_t>(begin);
    rest.erase(0, begin);
  }
  if (ftruncate(file_.get(), whole) != 0)
    throw errno_failure("mend a transfer's journal");
}

void journal::append(const boost::json::object& line, bool sync) {
  const auto text = boost::json::serialize(line) + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const auto n = ::write(file_.get(), text.data() + at, text.size() - at);
    if (n < 0 && errno != EINTR)
      throw errno_failure("write a transfer's journal");
    at += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  if (sync)
    jobrunner::sync(file_.get(), "a transfer's journal");
}

void journal::clear() {
  if (ftruncate(file_.get(), 0) != 0)
    throw errno_failure("clear a transfer's journal");
}

std::string text_in(const boost::json::object& line, const char* name) {
  const auto* found = line.if_contains(name);
  return found && found->is_string() ? std::string{found->get_string()} : "";
}

std::int64_t number_in(const boost::json::object& line, const char* name) {
  const auto* found = line.if_contains(name);
  return found && found->is_int64() ? found->get_int64() : -1;
}

} // namespace jobrunner::s3
