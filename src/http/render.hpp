// Our types as the API shows them.
#pragma once

#include "actors/api.hpp"
#include "core/types.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace jobrunner::http {

boost::json::value moment(const std::optional<timestamp>&); // RFC 3339; null for none
boost::json::object to_json(const dataset&);
boost::json::object to_json(const job&);
/// With whether it is known to hold: `stale_since` says since when Slurm has not answered.
boost::json::object
to_json(const job&,
        const std::optional<timestamp>& stale_since); // exactly one key is called "status"
boost::json::object to_json(const job_plan&);
boost::json::object to_json(const array_view&, const std::string& id);
/// {"id", "tasks": [{"index", "job_id"}]} of an array, or of the tasks of one that run again.
boost::json::object tasks_to_json(const std::vector<job>& tasks);
boost::json::object to_json(const output&);
boost::json::object to_json(const webhook_view&);

} // namespace jobrunner::http
