#include "http/text/server_sent.hpp"

namespace jobrunner::http {

std::string server_sent(std::int64_t id, std::string_view type, std::string_view data) {
  auto text = "id: " + std::to_string(id) + "\n";
  if (!type.empty())
    text.append("event: ").append(type).append("\n");
  return text.append("data: ").append(data).append("\n\n");
}

std::string server_sent_start(std::int64_t id) {
  return "retry: 2000\nid: " + std::to_string(id) + "\n\n";
}

} // namespace jobrunner::http
