#include "actors/errors.hpp"

#include <caf/sec.hpp>

namespace jobrunner {

namespace {

std::string detail_of(const caf::error& e) {
  const auto& context = e.context();
  return context.match_elements<std::string>() ? context.get_as<std::string>(0) : to_string(e);
}

} // namespace

caf::error current_error() {
  try {
    throw;
  } catch (const failure& f) {
    return caf::make_error(f.code(), std::string{f.what()});
  } catch (const std::exception& e) {
    return caf::make_error(errc::internal, std::string{e.what()});
  } catch (...) {
    return caf::make_error(errc::internal, std::string{"unknown exception"});
  }
}

failure to_failure(const caf::error& e) {
  if (e.category() == caf::atom("jobrunner"))
    return {static_cast<errc>(e.code()), detail_of(e)};
  if (e == caf::sec::request_timeout)
    return {errc::unavailable, "the server is too busy to answer in time"};
  if (e == caf::sec::request_receiver_down)
    return {errc::unavailable, "the server is shutting down"};
  return {errc::internal, to_string(e)};
}

} // namespace jobrunner
