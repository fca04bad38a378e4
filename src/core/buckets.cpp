#include "core/buckets.hpp"

#include "core/error.hpp"
#include "core/unique_fd.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <sys/stat.h>

namespace jobrunner {

namespace {

constexpr off_t largest_file = 1 << 20;

std::string text_of(const boost::json::object& from, const char* name, std::string otherwise) {
  const auto* found = from.if_contains(name);
  if (!found)
    return otherwise;
  if (!found->is_string())
    throw failure(errc::invalid, std::string{name} + " of a bucket is no string");
  return std::string{found->get_string()};
}

bucket read_bucket(const boost::json::value& from) {
  const auto* members = from.if_object();
  if (!members)
    throw failure(errc::invalid, "buckets holds what is no object");
  constexpr std::array known{"name", "bucket", "endpoint", "region", "key_id", "app_key"};
  for (const auto& m : *members)
    if (std::ranges::find(known, std::string_view{m.key()}) == known.end())
      throw failure(errc::invalid, "a bucket has a member that is none of name, bucket, endpoint, "
                                   "region, key_id and app_key");
  bucket b;
  b.name = text_of(*members, "name", "");
  b.remote = text_of(*members, "bucket", b.name);
  b.endpoint = tidy_endpoint(text_of(*members, "endpoint", ""));
  b.region = text_of(*members, "region", region_of(b.endpoint));
  b.key_id = text_of(*members, "key_id", "");
  b.app_key = secret{text_of(*members, "app_key", "")};
  if (b.name.empty() || b.endpoint.empty() || b.key_id.empty() != b.app_key.reveal().empty())
    throw failure(errc::invalid, "a bucket needs a name, an endpoint, and key_id and app_key "
                                 "together or neither");
  return b;
}

} // namespace

std::string tidy_endpoint(std::string_view endpoint) {
  while (endpoint.ends_with('/'))
    endpoint.remove_suffix(1);
  if (endpoint.empty() || endpoint.find("://") != std::string_view::npos)
    return std::string{endpoint};
  return "https://" + std::string{endpoint};
}

std::string region_of(std::string_view endpoint) {
  auto host = endpoint.substr(
      endpoint.find("://") == std::string_view::npos ? 0 : endpoint.find("://") + 3);
  host = host.substr(0, host.find_first_of(":/"));
  for (const std::string_view service : {".backblazeb2.com", ".amazonaws.com"})
    if (host.starts_with("s3.") && host.ends_with(service) && host.size() > 3 + service.size())
      return std::string{host.substr(3, host.size() - 3 - service.size())};
  return "us-east-1";
}

std::vector<bucket> parse_buckets(std::string_view json) {
  boost::json::error_code ec;
  const auto parsed = boost::json::parse(boost::json::string_view{json.data(), json.size()}, ec);
  const auto* top = ec ? nullptr : parsed.if_object();
  const auto* list = top ? top->if_contains("buckets") : nullptr;
  if (!list || !list->is_array())
    throw failure(errc::invalid, R"(it is no JSON object such as {"buckets": [...]})");
  std::vector<bucket> all;
  for (const auto& one : list->get_array()) {
    all.push_back(read_bucket(one));
    if (std::ranges::count(all, all.back().name, &bucket::name) > 1)
      throw failure(errc::invalid, "two buckets have one name");
  }
  return all;
}

std::vector<bucket> read_buckets(const std::filesystem::path& file) try {
  const unique_fd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat about {};
  if (!fd || fstat(fd.get(), &about) != 0 || !S_ISREG(about.st_mode) ||
      about.st_size > largest_file)
    throw failure(errc::invalid, "it is no file that can be read");
  if ((about.st_mode & 077U) != 0)
    throw failure(errc::invalid, "others may read it; it holds keys: chmod 0400");
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  if (::read(fd.get(), text.data(), text.size()) != about.st_size)
    throw failure(errc::invalid, "it cannot be read to its end");
  return parse_buckets(text);
} catch (const failure& f) {
  throw failure(errc::invalid,
                "JR_S3_BUCKETS_FILE=" + file.string() + " cannot be used: " + f.what());
}

} // namespace jobrunner
