// Who is at the other end, for what is counted by address.
#pragma once

#include <boost/asio/ip/address.hpp>

namespace jobrunner::http {

/// One client's share of the address space: an IPv4 address, also where it comes mapped into IPv6,
/// or the /64 of an IPv6 one, all of which a single host may call its own (RFC 4291, 2.5.1).
boost::asio::ip::address network_of(const boost::asio::ip::address&);

} // namespace jobrunner::http
