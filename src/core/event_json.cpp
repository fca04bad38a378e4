#include "core/event_json.hpp"

namespace jobrunner {

boost::json::object to_json(const job_event& e) {
  return {{"job_id", e.job_id}, {"seq", e.seq},       {"type", e.type},        {"status", e.state},
          {"done", e.done},     {"reason", e.reason}, {"at", to_rfc3339(e.at)}};
}

} // namespace jobrunner
