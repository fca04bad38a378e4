// An event as a message of Standard Webhooks (standardwebhooks.com, version 1): what is sent, and
// how it is signed. Pure.
#pragma once

#include "core/secret.hpp"
#include "core/types.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::webhook {

struct message {
  std::string id; // the same at every try
  std::string body;
};

/// `uuid` is the job's: no other job anywhere sends a message with this id.
message message_of(const job_event&, const std::string& uuid);

/// The header webhook-signature: "v1,<base64>" with each key, separated by blanks.
std::string signature(const std::vector<secret>& keys, const message&, std::chrono::sys_seconds at);

} // namespace jobrunner::webhook
