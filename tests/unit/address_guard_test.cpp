#include "core/address_guard.hpp"
#include "expect_failure.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace jobrunner {

namespace {

/// An address as text, v4 or v6, as connect(2) takes it.
struct address {
  explicit address(const std::string& text) {
    sockaddr_in four{};
    sockaddr_in6 six{};
    four.sin_family = AF_INET;
    six.sin6_family = AF_INET6;
    if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1)
      std::memcpy(&storage, &four, sizeof four);
    else if (inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1)
      std::memcpy(&storage, &six, sizeof six);
    else
      throw std::invalid_argument(text);
  }
  operator const sockaddr&() const { // NOLINT(google-explicit-constructor)
    return reinterpret_cast<const sockaddr&>(storage);
  }
  sockaddr_storage storage{};
};

reach of(const std::string& text) {
  return reach_of(address{text});
}

TEST(address_guard, an_address_of_the_internet_is_everybody_s) {
  for (const auto* text :
       {"1.1.1.1",         "8.8.8.8",          "9.255.255.255",        "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",      "126.255.255.255",      "128.0.0.0",
        "169.253.255.255", "169.255.0.0",      "172.15.255.255",       "172.32.0.0",
        "192.167.255.255", "192.169.0.0",      "198.17.255.255",       "198.20.0.0",
        "223.255.255.255", "2606:4700::1111",  "2001:4860:4860::8888", "2a00:1450::1",
        "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8", "2002:808:808::1"})
    EXPECT_EQ(of(text), reach::everybody) << text;
}

TEST(address_guard, this_machine_and_its_network_are_local_in_each_form) {
  for (const auto* text : {"127.0.0.1",
                           "127.0.0.2",
                           "127.255.255.255",
                           "10.0.0.0",
                           "10.255.255.255",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.0.1",
                           "192.168.255.255",
                           "100.64.0.1",
                           "100.127.255.255",
                           "198.18.0.1",
                           "198.19.255.255",
                           "::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.1.2.3",
                           "64:ff9b::127.0.0.1",
                           "64:ff9b::192.168.1.1",
                           "2002:7f00:1::1",
                           "2002:a00:1::1",
                           "2002:c0a8:101::"})
    EXPECT_EQ(of(text), reach::local) << text;
}

TEST(address_guard, metadata_multicast_unspecified_and_reserved_ones_are_nobody_s) {
  for (const auto* text : {"0.0.0.0",
                           "0.1.2.3",
                           "169.254.169.254",
                           "169.254.170.2",
                           "169.254.0.1",
                           "100.100.100.200",
                           "168.63.129.16",
                           "192.0.0.192",
                           "192.0.2.1",
                           "198.51.100.1",
                           "203.0.113.1",
                           "192.88.99.1",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::2",
                           "::127.0.0.1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "fd00:ec2::254",
                           "2001::1",
                           "2001:1::1",
                           "2001:db8::1",
                           "3fff::1",
                           "100::1",
                           "64:ff9b:1::1",
                           "::ffff:169.254.169.254",
                           "64:ff9b::169.254.169.254",
                           "2002:a9fe:a9fe::1",
                           "::ffff:0.0.0.0",
                           "4000::1"})
    EXPECT_EQ(of(text), reach::nobody) << text;
}

TEST(address_guard, a_family_other_than_ip_is_nobody_s) {
  sockaddr_un unix_socket{};
  unix_socket.sun_family = AF_UNIX;
  EXPECT_EQ(reach_of(reinterpret_cast<const sockaddr&>(unix_socket)), reach::nobody);
}

TEST(address_guard, without_a_list_public_addresses_alone_are_admitted) {
  const address_guard guard;
  EXPECT_TRUE(guard.admits(address{"8.8.8.8"}, "example.org", 443));
  for (const auto* text : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"})
    EXPECT_FALSE(guard.admits(address{text}, "example.org", 443)) << text;
  EXPECT_FALSE(guard.listed("example.org", 443));
}

TEST(address_guard, a_listed_name_may_be_a_local_address_but_no_metadata_service) {
  const address_guard guard{"minio, MinIO.Lan:9000"};
  EXPECT_TRUE(guard.admits(address{"10.0.0.1"}, "minio", 1));
  EXPECT_TRUE(guard.admits(address{"127.0.0.1"}, "MINIO.", 65535));
  EXPECT_TRUE(guard.admits(address{"fd12::1"}, "minio.lan", 9000));
  EXPECT_FALSE(guard.admits(address{"10.0.0.1"}, "minio.lan", 9001));
  EXPECT_FALSE(guard.admits(address{"10.0.0.1"}, "minio2", 9000));
  EXPECT_FALSE(guard.admits(address{"10.0.0.1"}, "x.minio", 9000));
  EXPECT_FALSE(guard.admits(address{"169.254.169.254"}, "minio", 80));
}

TEST(address_guard, a_listed_address_is_that_one_in_any_spelling) {
  const address_guard guard{"10.0.0.7:9000,[FD12:0::0001]:80,[::1]"};
  EXPECT_TRUE(guard.admits(address{"10.0.0.7"}, "10.0.0.7", 9000));
  EXPECT_FALSE(guard.admits(address{"10.0.0.8"}, "10.0.0.8", 9000));
  EXPECT_TRUE(guard.listed("[fd12::1]", 80));
  EXPECT_TRUE(guard.listed("[0:0:0:0:0:0:0:1]", 81));
  EXPECT_FALSE(guard.listed("[::2]", 81));
  EXPECT_TRUE((address_guard{"169.254.1.1"}.admits(address{"169.254.1.1"}, "169.254.1.1", 1)));
}

TEST(address_guard, a_spelling_tells_what_no_connection_will_be_made_to) {
  const address_guard guard{"10.0.0.7:9000,localhost:80"};
  for (const auto* host : {"127.0.0.1", "10.0.0.8", "[::1]", "[fe80::1]", "[::ffff:10.0.0.1]",
                           "169.254.169.254", "localhost", "LOCALHOST.", "a.localhost"})
    EXPECT_FALSE(guard.may_admit(host, 443)) << host;
  for (const auto* host : {"8.8.8.8", "[2606:4700::1111]", "example.org", "localhost.example.org"})
    EXPECT_TRUE(guard.may_admit(host, 443)) << host;
  EXPECT_TRUE(guard.may_admit("10.0.0.7", 9000));
  EXPECT_TRUE(guard.may_admit("localhost", 80));
}

TEST(address_guard, a_list_that_cannot_be_meant_is_refused_with_its_entry) {
  for (const auto* bad : {"http://minio", "minio:", "minio:0", "minio:65536", "minio:x", ":9000",
                          "a b", "minio/x", "user@minio", "::1", "[::1", "[]", "[::1]x", "mi*nio"})
    EXPECT_TRUE(says(refusal([&] { address_guard{std::string{"good:1,"} + bad}; }),
                     "JR_ALLOWED_PRIVATE_HOSTS"))
        << bad;
  EXPECT_NO_THROW((address_guard{" , a.b-c_d:1 ,, "}));
}

} // namespace

} // namespace jobrunner
