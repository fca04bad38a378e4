// A job's event as JSON: the same in a page, in a stream and to a webhook.
#pragma once

#include "core/types.hpp"

#include <boost/json/object.hpp>

namespace jobrunner {

boost::json::object to_json(const job_event&);

} // namespace jobrunner
