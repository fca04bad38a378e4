#include "webhook/sending.hpp"

#include "core/error.hpp"
#include "core/time.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace jobrunner::webhook {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_read = 64U
                                  << 10U; // of an answer's body: reading it keeps the connection

/// Ends a transfer whose status says all there is to know.
struct enough {};

std::string number(std::int64_t n) {
  return std::to_string(n);
}

/// Retry-After (RFC 9110, 10.2.3): seconds, or a date.
std::chrono::seconds pause_in(const std::string& header) {
  std::int64_t n = 0;
  const auto* end = header.data() + header.size();
  if (const auto [at, ec] = std::from_chars(header.data(), end, n); ec == std::errc{} && at == end)
    return std::chrono::seconds{std::clamp<std::int64_t>(n, 0, 1'000'000)};
  return std::max(std::chrono::duration_cast<std::chrono::seconds>(from_http_date(header) - now()),
                  0s);
}

std::string explain(int status) {
  if (status >= 300 && status < 400)
    return "the receiver answers " + number(status) + ", a redirect, which is not followed";
  if (status == 410)
    return "the receiver answers 410: it wants no more";
  return "the receiver answers " + number(status);
}

} // namespace

std::string receiver_of(const std::string& url, const address_guard& guard) {
  const auto to = curl::check_url(url, guard);
  if (!guard.may_admit(to.host, to.port))
    throw failure(errc::invalid, to.host + " is no public address; JR_ALLOWED_PRIVATE_HOSTS can "
                                           "allow a private one");
  return to.scheme + "://" + to.host + ":" + number(to.port);
}

answer deliver(curl::client& http, const std::vector<secret>& keys, const delivery& d,
               std::chrono::seconds most) {
  const auto at = std::chrono::floor<std::chrono::seconds>(now());
  std::size_t read = 0;
  curl::request asked{"POST",
                      d.url,
                      {"Content-Type: application/json", "User-Agent: jobrunner",
                       "webhook-id: " + d.what.id,
                       "webhook-timestamp: " + number(at.time_since_epoch().count()),
                       "webhook-signature: " + signature(keys, d.what, at)},
                      d.what.body};
  asked.sink = [&](std::span<const char> bytes) {
    read += bytes.size();
    if (read > most_read)
      throw enough{}; // of a 2xx
  };
  curl::limits limits;
  limits.total = most;
  limits.connect = std::min(limits.connect, limits.total);
  limits.stall = most;
  answer a;
  try {
    const auto got = http.perform(asked, limits);
    a.status = got.status;
    if (a.status == 429 || a.status == 503)
      a.retry_after = pause_in(got.header("retry-after"));
  } catch (const enough&) {
    a.status = 200;
  } catch (const std::exception& e) {
    a.error = e.what();
    return a;
  }
  if (a.status < 200 || a.status >= 300)
    a.error = explain(a.status);
  return a;
}

} // namespace jobrunner::webhook
