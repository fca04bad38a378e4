// Every endpoint, in one table.
#pragma once

#include "http/text/router.hpp"
#include "http/types.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace jobrunner::http {

enum class auth : std::uint8_t { none, token };

/// How a request's body is read: not at all, as named fields, or by the handler itself.
enum class takes : std::uint8_t { nothing, fields, stream };

using handler = asio::awaitable<response> (*)(exchange&);

struct route {
  beast::verb verb = beast::verb::unknown;
  pattern path;
  handler handle = nullptr;
  auth needs = auth::token;
  takes body = takes::nothing;
};

std::span<const route> routes();

struct matched {
  const route& to;
  std::vector<std::string> args;
};
struct no_such_path {};
struct not_allowed {
  std::string allow; // the value of the header Allow
};

/// HEAD goes to the route of GET. Throws failure{invalid} for a malformed path.
std::variant<matched, no_such_path, not_allowed> find_route(beast::verb, std::string_view raw_path);

} // namespace jobrunner::http
