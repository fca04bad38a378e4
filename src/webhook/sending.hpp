// One try to bring a message to its receiver.
#pragma once

#include "core/address_guard.hpp"
#include "core/curl.hpp"
#include "webhook/message.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace jobrunner::webhook {

struct delivery {
  std::int64_t job_id = 0, seq = 0;
  std::string url;
  message what;
};

/// What became of it: taken if there is no error.
struct answer {
  int status = 0;                      // 0: there was no answer
  std::chrono::seconds retry_after{0}; // as asked for
  std::string error;                   // in words, without the URL
};

/// Whose a URL is: "https://example.org:443". Throws failure{invalid}: no URL, one with a user or
/// password, http to a host that the guard does not list, or an address that it does not admit.
std::string receiver_of(const std::string& url, const address_guard&);

/// 2xx is taken; redirects are not followed; of the answer's body no more than a little is read.
/// Returns within `most`, or about a second after its client is cancelled. Throws nothing.
answer deliver(curl::client&, const std::vector<secret>& keys, const delivery&,
               std::chrono::seconds most);

} // namespace jobrunner::webhook
