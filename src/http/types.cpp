#include "http/types.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <boost/json/serialize.hpp>

#include <charconv>

namespace jobrunner::http {

response text(beast::status status, std::string_view content_type, std::string body) {
  response res;
  res.message.result(status);
  res.message.set(beast::field::content_type, {content_type.data(), content_type.size()});
  res.message.body() = std::move(body);
  res.message.prepare_payload();
  return res;
}

response json(beast::status status, const boost::json::value& body) {
  return text(status, "application/json", boost::json::serialize(body));
}

std::int64_t job_id(const std::string& text) {
  std::int64_t id = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, id);
  if (ec != std::errc{} || at != end || id <= 0)
    throw failure(errc::not_found,
                  "no job has the id " + shown(text) + "; it is a positive whole number");
  return id;
}

} // namespace jobrunner::http
