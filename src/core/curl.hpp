// HTTP requests to elsewhere, by libcurl: one at a time, blocking, within hard limits, and only to
// where an address_guard allows. Nothing of a request but its host is ever shown or logged.
#pragma once

#include "core/address_guard.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::curl {

struct request {
  std::string method = "GET";
  std::string url{};
  std::vector<std::string> headers{}; // "Name: value"
  std::string_view body{};            // stays the caller's until perform() is over

  /// Takes the body of a 2xx as it arrives; without it, it is kept in response::body.
  std::function<void(std::span<const char>)> sink{};
};

struct limits {
  std::chrono::milliseconds connect{10000};
  std::chrono::milliseconds total{60000};
  std::chrono::seconds stall{30};         // without a byte
  std::uint64_t most_bytes = 1ULL << 20U; // of a 2xx's body
};

struct response {
  int status = 0;
  std::map<std::string, std::string> headers;        // names in lower case
  std::string body;                                  // of another status than 2xx: its first 64 KiB
  std::string header(const std::string& name) const; // "" if there is none
};

/// What of a URL decides where a request goes.
struct target {
  std::string scheme, host; // lower case; an IPv4 address in its usual form, IPv6 in brackets
  std::uint16_t port = 0;
};

/// Throws failure{invalid}: no URL, one with a user or password, or another scheme than https;
/// http does for hosts that the guard lists.
target check_url(const std::string& url, const address_guard&);

/// Keeps its connection for the next request to the same host. For one thread at a time.
class client {
public:
  /// `cancel` ends a request within about a second.
  explicit client(const address_guard& guard, std::stop_token cancel = {});
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client();

  /// The answer, whatever its status; redirects are not followed. The address is judged at
  /// connect, after the name was resolved. Throws failure: invalid (the URL, an address that the
  /// guard refuses, a certificate that is not trusted), too_large, unavailable (anything that
  /// another try may mend, and cancel), and what the sink throws.
  response perform(const request&, const limits&);

private:
  struct handle;
  const address_guard& guard_;
  std::stop_token cancel_;
  std::unique_ptr<handle> handle_;
};

} // namespace jobrunner::curl
