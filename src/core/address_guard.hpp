// Which addresses this server connects to when a client says where: public ones, and what the
// operator listed. Whoever reaches us must not reach through us what only this machine or its
// network can (SSRF).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace jobrunner {

/// Who can reach an address, by IANA's special-purpose registries (RFC 6890). One that embeds an
/// IPv4 address (IPv4-mapped, 6to4, NAT64) is as far as that one.
enum class reach : std::uint8_t {
  everybody, // the internet
  local,     // this machine or its network: loopback, private, shared (CGNAT), unique local
  nobody,    // link-local, clouds' metadata services, multicast, unspecified, reserved
};
reach reach_of(const sockaddr&);

class address_guard {
public:
  address_guard() = default; // public addresses alone

  /// JR_ALLOWED_PRIVATE_HOSTS: "host", "host:port" or "[IPv6]:port", separated by commas.
  /// Throws failure{invalid} that names the entry.
  explicit address_guard(std::string_view list);

  /// Whether the operator listed it; only then may it be spoken to without TLS. `host` is as in a
  /// URL: IPv6 in brackets.
  bool listed(std::string_view host, std::uint16_t port) const;

  /// Whether a connection for that host may go to that address. A listed name may be a local
  /// address; a listed address may be any.
  bool admits(const sockaddr& resolved, std::string_view host, std::uint16_t port) const;

  /// The same as far as the host's spelling tells it: false for an address that is not admitted and
  /// for localhost, true for any other name. Asks no resolver.
  bool may_admit(std::string_view host, std::uint16_t port) const;

private:
  struct entry {
    std::string host;
    std::uint16_t port; // 0: any
  };
  std::vector<entry> list_;
};

} // namespace jobrunner
