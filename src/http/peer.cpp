#include "http/peer.hpp"

#include <algorithm>

namespace jobrunner::http {

boost::asio::ip::address network_of(const boost::asio::ip::address& peer) {
  namespace ip = boost::asio::ip;
  if (peer.is_v4())
    return peer;
  const auto v6 = peer.to_v6();
  if (v6.is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, v6);
  if (v6.is_loopback())
    return peer;
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return ip::address_v6{bytes};
}

} // namespace jobrunner::http
