// What webhooks are signed with: "whsec_" and base64 of 24 to 64 bytes (Standard Webhooks). With
// several each message has as many signatures, so that receivers can change from one to another.
#pragma once

#include "core/config.hpp"
#include "core/secret.hpp"

#include <string_view>
#include <vector>

namespace jobrunner::webhook {

struct secrets {
  secret shown;             // the first as it is written
  std::vector<secret> keys; // of all: raw bytes
};

/// Of a text that holds one or more, separated by white space. Throws failure{invalid}.
secrets parse_secrets(std::string_view text);

/// Those of JR_WEBHOOK_SECRET, else of JR_ROOT/webhook_secret, a file of the server's alone that
/// the first start makes. Throws failure that names which.
secrets load_secrets(const config&);

} // namespace jobrunner::webhook
