#include "http/body.hpp"

#include "core/equal_secrets.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "http/text/ascii.hpp"
#include "http/text/limits.hpp"
#include "http/text/multipart.hpp"
#include "http/text/urlencoded.hpp"

#include <algorithm>
#include <optional>

namespace jobrunner::http {

namespace {

/// Collects the parts of a form without files.
class form_parts final : public multipart_events {
public:
  void part_begin(const part_header& part) override { all.emplace_back(part.name, ""); }
  void part_data(std::string_view bytes) override {
    auto& [name, value] = all.back();
    if (value.size() + bytes.size() > max_field_bytes)
      throw failure(errc::invalid,
                    name + " is larger than " + std::to_string(max_field_bytes) + " bytes");
    value += bytes;
  }
  void part_end() override {}
  pairs all;
};

} // namespace

fields parse_form(std::string_view content_type, std::string_view body) {
  const auto kind = lower(trimmed(content_type.substr(0, content_type.find(';'))));
  if (body.empty())
    return {};
  if (kind == "multipart/form-data") {
    form_parts parts;
    multipart_parser parser{boundary_of(content_type), parts};
    parser.feed(body);
    parser.end();
    return fields::from_pairs(parts.all);
  }
  if (kind == "application/x-www-form-urlencoded")
    return fields::from_pairs(parse_urlencoded(body));
  if (kind == "application/json")
    return fields::from_json(body);
  throw failure(errc::unsupported,
                "Content-Type is " + shown(content_type) +
                    ", but must be multipart/form-data, application/x-www-form-urlencoded "
                    "or application/json");
}

namespace {

/// The token of "Authorization: Bearer <token>". Another scheme is some proxy's own, not for us.
std::optional<std::string_view> bearer_token(const beast::fields& headers) {
  const auto given = view(headers[beast::field::authorization]);
  const auto blank = given.find(' ');
  if (!same_word(given.substr(0, blank), "bearer"))
    return std::nullopt;
  return trimmed(given.substr(std::min(blank, given.size())));
}

/// The token of "X-API-Key: <token>", for whom a proxy leaves no Authorization.
std::optional<std::string_view> api_key(const beast::fields& headers) {
  const auto found = headers.find("X-API-Key");
  if (found == headers.end())
    return std::nullopt;
  return trimmed(view(found->value()));
}

} // namespace

void check_token(const beast::fields& headers, const secret& token) {
  const auto bearer = bearer_token(headers);
  const auto key = api_key(headers);
  const auto wrong = [&](const std::optional<std::string_view>& given) {
    return given && !equal_secrets(*given, token.reveal());
  };
  const bool twice =
      headers.count(beast::field::authorization) > 1 || headers.count("X-API-Key") > 1;
  // Of two that differ one is wrong, and who sent it meant somebody else.
  if (twice || (!bearer && !key) || wrong(bearer) || wrong(key))
    throw failure(errc::unauthorized, "this call needs the header Authorization: Bearer <token> or "
                                      "X-API-Key: <token>, with the server's token, and only one");
}

} // namespace jobrunner::http
