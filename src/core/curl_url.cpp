#include "core/curl.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <curl/curl.h>

namespace jobrunner::curl {

namespace {

struct url_end {
  void operator()(CURLU* p) const noexcept { curl_url_cleanup(p); }
};
struct text_end {
  void operator()(char* p) const noexcept { curl_free(p); }
};

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK || !text)
    return {};
  const std::unique_ptr<char, text_end> owner{text};
  return text;
}

} // namespace

target check_url(const std::string& url, const address_guard& guard) {
  const std::unique_ptr<CURLU, url_end> parsed{curl_url()};
  if (!parsed || url.size() > 8192 || url.find('\0') != std::string::npos ||
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    throw failure(errc::invalid, "it is no URL such as https://example.org/path");
  target t{lower_ascii(part(parsed.get(), CURLUPART_SCHEME)),
           lower_ascii(part(parsed.get(), CURLUPART_HOST)), 0};
  const auto port = part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  t.port = static_cast<std::uint16_t>(std::atoi(port.c_str()));
  if (t.host.empty() || !part(parsed.get(), CURLUPART_USER).empty() ||
      !part(parsed.get(), CURLUPART_PASSWORD).empty())
    throw failure(errc::invalid, "the URL has no host, or a user or password in it");
  if (t.scheme != "https" && !(t.scheme == "http" && guard.listed(t.host, t.port)))
    throw failure(errc::invalid, "the URL begins with " + shown(t.scheme + ":") +
                                     ", but must with https: (http: is for hosts that "
                                     "JR_ALLOWED_PRIVATE_HOSTS lists)");
  return t;
}

} // namespace jobrunner::curl
