#pragma once

#include "core/error.hpp"
#include "http/types.hpp"

namespace jobrunner::http {

/// RFC 9457: application/problem+json with type, title, status and detail. The detail of an
/// internal error goes to the log only.
response problem(const failure&);

/// The same for whatever a handler throws, but what means that the connection broke
/// (boost::system::system_error): that is thrown again.
response problem(const std::exception_ptr&);

/// The same for what only HTTP knows (405, 414, 431 and such).
response problem(unsigned status, const std::string& detail);

/// The status of a failure of that kind.
unsigned status_of(errc);

} // namespace jobrunner::http
