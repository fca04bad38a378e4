#include "core/address_guard.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <optional>

namespace jobrunner {

namespace {

using address_v6 = std::array<std::uint8_t, 16>;

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24U | b << 16U | c << 8U | d;
}

struct net_v4 {
  std::uint32_t first;
  unsigned bits;
  reach far;
};

// The first that holds an address decides.
constexpr std::array nets_v4{
    net_v4{v4(0, 0, 0, 0), 8, reach::nobody},          // "this host", reaches loopback on Linux
    net_v4{v4(10, 0, 0, 0), 8, reach::local},          // private
    net_v4{v4(100, 100, 100, 200), 32, reach::nobody}, // metadata of Alibaba
    net_v4{v4(100, 64, 0, 0), 10, reach::local},       // shared by carriers (CGNAT)
    net_v4{v4(127, 0, 0, 0), 8, reach::local},         // loopback
    net_v4{v4(168, 63, 129, 16), 32, reach::nobody},   // metadata of Azure, among public ones
    net_v4{v4(169, 254, 0, 0), 16, reach::nobody},     // link-local, metadata of most clouds
    net_v4{v4(172, 16, 0, 0), 12, reach::local},       // private
    net_v4{v4(192, 0, 0, 0), 24, reach::nobody},       // protocol assignments, metadata of Oracle
    net_v4{v4(192, 0, 2, 0), 24, reach::nobody},       // documentation
    net_v4{v4(192, 88, 99, 0), 24, reach::nobody},     // 6to4 relays
    net_v4{v4(192, 168, 0, 0), 16, reach::local},      // private
    net_v4{v4(198, 18, 0, 0), 15, reach::local},       // benchmarks
    net_v4{v4(198, 51, 100, 0), 24, reach::nobody},    // documentation
    net_v4{v4(203, 0, 113, 0), 24, reach::nobody},     // documentation
    net_v4{v4(224, 0, 0, 0), 4, reach::nobody},        // multicast
    net_v4{v4(240, 0, 0, 0), 4, reach::nobody},        // reserved, broadcast
};

reach reach_v4(std::uint32_t address) {
  for (const auto& net : nets_v4)
    if ((address ^ net.first) >> (32U - net.bits) == 0)
      return net.far;
  return reach::everybody;
}

std::uint32_t embedded(const address_v6& a, std::size_t at) {
  return v4(a.at(at), a.at(at + 1), a.at(at + 2), a.at(at + 3));
}

/// Whether `a` begins with these bytes.
template <std::size_t N>
bool begins(const address_v6& a, const std::array<std::uint8_t, N>& bytes) {
  return std::equal(bytes.begin(), bytes.end(), a.begin());
}

reach reach_v6(const address_v6& a) {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<std::uint8_t, 12> nat64{0, 0x64, 0xff, 0x9b};
  constexpr address_v6 loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr address_v6 metadata{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
  if (begins(a, mapped) || begins(a, nat64))
    return reach_v4(embedded(a, 12));
  if (begins(a, std::array<std::uint8_t, 2>{0x20, 0x02})) // 6to4
    return reach_v4(embedded(a, 2));
  if (a == loopback)
    return reach::local;
  if ((a[0] & 0xfeU) == 0xfc) // unique local
    return a == metadata ? reach::nobody : reach::local;
  const bool global = (a[0] & 0xe0U) == 0x20; // 2000::/3, of which IANA gives out all there is
  const bool protocols = a[0] == 0x20 && a[1] == 0x01 && a[2] < 2; // 2001::/23, Teredo among them
  const bool documentation = begins(a, std::array<std::uint8_t, 4>{0x20, 0x01, 0x0d, 0xb8}) ||
                             (a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10);
  return global && !protocols && !documentation ? reach::everybody : reach::nobody;
}

/// `host` as addresses and names are compared: an IPv6 address in its shortest form, a name in
/// lower case and without the dot at its end.
std::string normal(std::string_view host) {
  std::string text{host};
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    in6_addr address{};
    std::array<char, INET6_ADDRSTRLEN> shortest{};
    if (inet_pton(AF_INET6, text.substr(1, text.size() - 2).c_str(), &address) == 1 &&
        inet_ntop(AF_INET6, &address, shortest.data(), shortest.size()))
      return std::string{"["} + shortest.data() + "]";
  }
  if (text.ends_with('.'))
    text.pop_back();
  return lower_ascii(text);
}

bool is_address(const std::string& host) {
  in_addr address{};
  return host.front() == '[' || inet_pton(AF_INET, host.c_str(), &address) == 1;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  return ec == std::errc{} && end == text.data() + text.size() && port > 0 ? std::optional{port}
                                                                           : std::nullopt;
}

bool is_host(std::string_view host) {
  const bool v6 = host.starts_with('[') && host.ends_with(']');
  const auto inside = v6 ? host.substr(1, host.size() - 2) : host;
  return !inside.empty() && std::ranges::all_of(inside, [&](char c) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return word || c == '.' || c == '-' || (v6 ? c == ':' : c == '_');
  });
}

} // namespace

reach reach_of(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return reach_v4(ntohl(in.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    address_v6 bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return reach_v6(bytes);
  }
  return reach::nobody;
}

address_guard::address_guard(std::string_view list) {
  while (!list.empty()) {
    auto one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    while (one.starts_with(' '))
      one.remove_prefix(1);
    while (one.ends_with(' '))
      one.remove_suffix(1);
    if (one.empty())
      continue;
    const auto colon = one.ends_with(']') ? std::string_view::npos : one.rfind(':');
    const auto host = one.substr(0, colon);
    const auto port = colon == std::string_view::npos ? std::optional<std::uint16_t>{0}
                                                      : port_of(one.substr(colon + 1));
    if (!port || !is_host(host))
      throw failure(errc::invalid, "JR_ALLOWED_PRIVATE_HOSTS names " + shown(one) +
                                       ", which is no host, host:port or [IPv6]:port");
    list_.push_back({normal(host), *port});
  }
}

bool address_guard::listed(std::string_view host, std::uint16_t port) const {
  const auto name = normal(host);
  return std::ranges::any_of(
      list_, [&](const entry& e) { return e.host == name && (e.port == 0 || e.port == port); });
}

bool address_guard::admits(const sockaddr& resolved, std::string_view host,
                           std::uint16_t port) const {
  const auto far = reach_of(resolved);
  if (far == reach::everybody)
    return true;
  return listed(host, port) && (far == reach::local || is_address(normal(host)));
}

bool address_guard::may_admit(std::string_view host, std::uint16_t port) const {
  const auto name = normal(host);
  if (name == "localhost" || name.ends_with(".localhost")) // RFC 6761, 6.3
    return listed(host, port);
  sockaddr_in in{};
  in.sin_family = AF_INET;
  if (inet_pton(AF_INET, name.c_str(), &in.sin_addr) == 1)
    return admits(reinterpret_cast<const sockaddr&>(in), host, port);
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  if (name.size() > 2 && name.front() == '[' &&
      inet_pton(AF_INET6, name.substr(1, name.size() - 2).c_str(), &in6.sin6_addr) == 1)
    return admits(reinterpret_cast<const sockaddr&>(in6), host, port);
  return true;
}

} // namespace jobrunner
