#include "core/curl.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <exception>
#include <sys/socket.h>

namespace jobrunner::curl {

namespace {

constexpr std::size_t most_header_bytes = 64 << 10, most_error_bytes = 64 << 10;

struct list_end {
  void operator()(curl_slist* p) const noexcept { curl_slist_free_all(p); }
};
using header_list = std::unique_ptr<curl_slist, list_end>;

void append(header_list& list, const std::string& line) {
  if (line.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos)
    throw failure(errc::invalid, "a header of a request holds a line break");
  auto* longer = curl_slist_append(list.get(), line.c_str());
  if (!longer)
    throw std::bad_alloc{};
  [[maybe_unused]] const auto* same = list.release();
  list.reset(longer);
}

/// One request on its way: what libcurl's callbacks see of it.
struct exchange {
  const address_guard& guard;
  const std::stop_token& cancel;
  const request& asked;
  const limits& most;
  target to;
  response answer{};
  std::size_t header_bytes = 0;
  std::uint64_t body_bytes = 0;
  curl_off_t moved = 0; // bytes, both ways
  std::chrono::steady_clock::time_point moved_at = std::chrono::steady_clock::now();
  bool refused = false, too_large = false, enough = false, stalled = false;
  std::exception_ptr thrown{}; // by the sink: it must not fly through C

  bool good() const { return answer.status >= 200 && answer.status < 300; }

  void take_header(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r'))
      line.remove_suffix(1);
    if (line.starts_with("HTTP/")) { // of each answer: 100 Continue may come before
      answer.headers.clear();
      const auto blank = line.find(' ');
      answer.status = blank == std::string_view::npos
                          ? 0
                          : std::atoi(std::string{line.substr(blank + 1, 3)}.c_str());
      return;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos)
      return;
    auto value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t'))
      value.remove_prefix(1);
    while (value.ends_with(' ') || value.ends_with('\t'))
      value.remove_suffix(1);
    answer.headers.try_emplace(lower_ascii(line.substr(0, colon)), value);
  }

  /// In one block of memory where the length was said.
  void keep(std::span<const char> bytes) {
    if (answer.body.empty())
      answer.body.reserve(std::min<std::uint64_t>(
          std::strtoull(answer.header("content-length").c_str(), nullptr, 10), most.most_bytes));
    answer.body.append(bytes.data(), bytes.size());
  }

  /// Whether to go on.
  bool take_body(std::span<const char> bytes) {
    body_bytes += bytes.size();
    if (!good()) {
      const auto room = most_error_bytes - answer.body.size();
      answer.body.append(bytes.data(), std::min(room, bytes.size()));
      enough = bytes.size() > room;
      return !enough;
    }
    too_large = body_bytes > most.most_bytes;
    if (too_large)
      return false;
    if (asked.sink)
      asked.sink(bytes);
    else
      keep(bytes);
    return true;
  }
};

exchange& exchange_of(void* user) {
  return *static_cast<exchange*>(user);
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& x = exchange_of(user);
  x.header_bytes += size;
  if (x.header_bytes > most_header_bytes) {
    x.too_large = true;
    return 0;
  }
  x.take_header({data, size});
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& x = exchange_of(user);
  try {
    return x.take_body({data, size}) ? size : 0;
  } catch (...) {
    x.thrown = std::current_exception();
    return 0;
  }
}

// Called at least once a second. libcurl's own watch for low speed takes an average over five
// seconds, and so notices a stall that much later.
int on_progress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
  auto& x = exchange_of(user);
  const auto now = std::chrono::steady_clock::now();
  if (received + sent != x.moved) {
    x.moved = received + sent;
    x.moved_at = now;
  }
  x.stalled = now - x.moved_at > x.most.stall;
  return x.stalled || x.cancel.stop_requested() ? 1 : 0;
}

// The one place where a connection begins, whatever name, spelling or resolver led here.
curl_socket_t on_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& x = exchange_of(user);
  if (!x.guard.admits(address->addr, x.to.host, x.to.port)) {
    x.refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

[[noreturn]] void explain(CURLcode code, const char* detail, const exchange& x) {
  if (x.thrown)
    std::rethrow_exception(x.thrown);
  const auto where = x.to.host + ":" + std::to_string(x.to.port);
  if (x.too_large)
    throw failure(errc::too_large, where + " answers with more than was asked for");
  if (x.cancel.stop_requested())
    throw failure(errc::unavailable, "the request to " + where + " was cancelled");
  if (x.stalled)
    throw failure(errc::unavailable, where + " has been silent for more than " +
                                         std::to_string(x.most.stall.count()) + " seconds");
  if (x.refused)
    throw failure(errc::invalid, where + " has no public address; JR_ALLOWED_PRIVATE_HOSTS can "
                                         "allow a private one");
  const std::string why = *detail ? detail : curl_easy_strerror(code);
  if (code == CURLE_PEER_FAILED_VERIFICATION)
    throw failure(errc::invalid, where + " is not trusted: " + why);
  throw failure(errc::unavailable, where + " cannot be spoken to: " + why);
}

} // namespace

std::string response::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string{} : found->second;
}

struct client::handle {
  handle() : easy(curl_easy_init()) {
    if (!easy)
      throw failure(errc::internal, "libcurl cannot start");
  }
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  ~handle() { curl_easy_cleanup(easy); }

  template <class T>
  void set(CURLoption option, T value) {
    if (curl_easy_setopt(easy, option, value) != CURLE_OK)
      throw failure(errc::internal, "libcurl lacks the option " + std::to_string(option));
  }

  CURL* easy;
};

client::client(const address_guard& guard, std::stop_token cancel)
    : guard_(guard),
      cancel_(std::move(cancel)),
      handle_(std::make_unique<handle>()) {}

client::~client() = default;

response client::perform(const request& asked, const limits& most) {
  exchange x{guard_, cancel_, asked, most, check_url(asked.url, guard_)};
  header_list headers;
  append(headers, "Expect:"); // never wait for a 100 Continue
  if (std::ranges::none_of(asked.headers, [](const auto& line) {
        return lower_ascii(line.substr(0, line.find(':'))) == "content-type";
      }))
    append(headers, "Content-Type:"); // not libcurl's own guess
  for (const auto& line : asked.headers)
    append(headers, line);
  std::array<char, CURL_ERROR_SIZE> detail{};
  auto& h = *handle_;
  curl_easy_reset(h.easy); // keeps the connections
  h.set(CURLOPT_URL, asked.url.c_str());
  h.set(CURLOPT_PROTOCOLS_STR, x.to.scheme.c_str());
  h.set(CURLOPT_FOLLOWLOCATION, 0L);
  h.set(CURLOPT_PROXY, ""); // one of the environment would connect in our stead
  h.set(CURLOPT_OPENSOCKETFUNCTION, on_socket);
  h.set(CURLOPT_OPENSOCKETDATA, &x);
  h.set(CURLOPT_NOSIGNAL, 1L);
  h.set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  h.set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  h.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(most.connect.count()));
  h.set(CURLOPT_TIMEOUT_MS, static_cast<long>(most.total.count()));
  h.set(CURLOPT_HEADERFUNCTION, on_header);
  h.set(CURLOPT_HEADERDATA, &x);
  h.set(CURLOPT_WRITEFUNCTION, on_body);
  h.set(CURLOPT_WRITEDATA, &x);
  h.set(CURLOPT_NOPROGRESS, 0L);
  h.set(CURLOPT_XFERINFOFUNCTION, on_progress);
  h.set(CURLOPT_XFERINFODATA, &x);
  h.set(CURLOPT_ERRORBUFFER, detail.data());
  h.set(CURLOPT_HTTPHEADER, headers.get());
  if (asked.method == "HEAD") {
    h.set(CURLOPT_NOBODY, 1L);
  } else if (asked.method != "GET" || !asked.body.empty()) {
    h.set(CURLOPT_CUSTOMREQUEST, asked.method.c_str());
    if (asked.method != "DELETE" || !asked.body.empty()) {
      h.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(asked.body.size()));
      h.set(CURLOPT_POSTFIELDS, asked.body.data() ? asked.body.data() : "");
    }
  }
  const auto code = curl_easy_perform(h.easy);
  if (code != CURLE_OK && !x.enough)
    explain(code, detail.data(), x);
  return std::move(x.answer);
}

} // namespace jobrunner::curl
