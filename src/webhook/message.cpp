#include "webhook/message.hpp"

#include "core/digest.hpp"
#include "core/event_json.hpp"

#include <boost/json/serialize.hpp>

namespace jobrunner::webhook {

message message_of(const job_event& e, const std::string& uuid) {
  return {uuid + "-" + std::to_string(e.seq),
          boost::json::serialize(boost::json::object{
              {"type", "job." + e.type}, {"timestamp", to_rfc3339(e.at)}, {"data", to_json(e)}})};
}

std::string signature(const std::vector<secret>& keys, const message& m,
                      std::chrono::sys_seconds at) {
  const auto signed_text =
      m.id + "." + std::to_string(at.time_since_epoch().count()) + "." + m.body;
  std::string all;
  for (const auto& key : keys)
    all += (all.empty() ? "v1," : " v1,") + base64(hmac_sha256(key.reveal(), signed_text));
  return all;
}

} // namespace jobrunner::webhook
