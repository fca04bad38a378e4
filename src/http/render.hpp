// Our types as the API shows them.
#pragma once

#include "core/types.hpp"

#include <boost/json/object.hpp>

namespace jobrunner::http {

boost::json::object to_json(const dataset&);
boost::json::object to_json(const job&); // exactly one key is called "status"
boost::json::object to_json(const output&);

} // namespace jobrunner::http
