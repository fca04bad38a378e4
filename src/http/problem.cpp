#include "http/problem.hpp"

#include "core/log.hpp"

#include <boost/system/system_error.hpp>

#include <array>
#include <exception>

namespace jobrunner::http {

namespace {

using beast::status;

// Indexed by errc; the order is that of core/error.hpp.
constexpr std::array statuses{
    status::internal_server_error, // none: a bug if it gets here
    status::bad_request,
    status::unauthorized,
    status::forbidden,
    status::not_found,
    status::conflict,
    status::gone,
    status::length_required,
    status::payload_too_large,
    status::unsupported_media_type,
    status::range_not_satisfiable,
    status::unprocessable_entity,
    status::locked,
    status::too_many_requests,
    status::service_unavailable,
    status::insufficient_storage,
    status::internal_server_error,
};
static_assert(statuses.size() == static_cast<std::size_t>(errc::internal) + 1);

} // namespace

unsigned status_of(errc code) {
  return static_cast<unsigned>(statuses.at(static_cast<std::size_t>(code)));
}

response problem(unsigned code, const std::string& detail) {
  constexpr unsigned checksum_mismatch = 460; // of tus, unknown to HTTP
  const auto title = code == checksum_mismatch ? boost::beast::string_view{"Checksum Mismatch"}
                                               : beast::obsolete_reason(static_cast<status>(code));
  auto res = json(static_cast<status>(code),
                  {{"type", "about:blank"},
                   {"title", boost::json::string_view{title.data(), title.size()}},
                   {"status", code},
                   {"detail", detail}});
  res.message.set(beast::field::content_type, "application/problem+json");
  if (code == 401)
    res.message.set(beast::field::www_authenticate, "Bearer realm=\"jobrunner\"");
  if (code == 429 || code == 503)
    res.message.set(beast::field::retry_after, "5");
  return res;
}

response problem(const failure& f) {
  if (f.code() != errc::internal && f.code() != errc::none)
    return problem(status_of(f.code()), f.what());
  log("http", "internal_error", {{"why", f.what()}});
  return problem(500, "something went wrong inside the server; its log says what");
}

response problem(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const failure& f) {
    return problem(f);
  } catch (const boost::system::system_error&) {
    throw;
  } catch (const std::exception& e) {
    return problem(failure(errc::internal, std::string{"unexpected: "} + e.what()));
  }
}

} // namespace jobrunner::http
