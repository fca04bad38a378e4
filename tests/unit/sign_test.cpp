// AWS's published vectors: those of the Signature Version 4 test suite (aws4_testsuite), and the
// examples of S3's documentation ("Authenticating Requests: Using the Authorization Header").
#include "core/sha256.hpp"
#include "s3/sign.hpp"

#include <gtest/gtest.h>

namespace jobrunner::s3 {

namespace {

const std::string empty_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string signature(const std::string& header) {
  return header.substr(header.rfind('=') + 1);
}

/// A request of the test suite, signed at its time.
std::string of_suite(const std::string& method, const pairs& query = {}, const pairs& more = {},
                     const std::string& body = "", const std::string& path = "/") {
  const std::string time = "20150830T123600Z";
  pairs headers{{"Host", "example.amazonaws.com"}, {"X-Amz-Date", time}};
  headers.insert(headers.end(), more.begin(), more.end());
  const credentials who{"AKIDEXAMPLE", secret{"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
                        "us-east-1", "service"};
  return signature(authorization({method, path, query, headers, sha256_of(body)}, who, time));
}

TEST(sign, get_vanilla) {
  EXPECT_EQ(of_suite("GET"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(sign, get_vanilla_empty_query_key) {
  EXPECT_EQ(of_suite("GET", {{"Param1", "value1"}}),
            "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb");
}

TEST(sign, get_vanilla_query_order_key_case) {
  EXPECT_EQ(of_suite("GET", {{"Param2", "value2"}, {"Param1", "value1"}}),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST(sign, get_vanilla_query_unreserved) {
  const std::string all = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  EXPECT_EQ(of_suite("GET", {{all, all}}),
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197");
}

TEST(sign, get_unreserved) {
  EXPECT_EQ(of_suite("GET", {}, {}, "",
                     "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f");
}

TEST(sign, get_utf8) {
  EXPECT_EQ(of_suite("GET", {}, {}, "", "/" + uri_encode("\u1234")),
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
}

TEST(sign, get_header_value_trim) {
  EXPECT_EQ(of_suite("GET", {}, {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST(sign, post_vanilla) {
  EXPECT_EQ(of_suite("POST"), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST(sign, post_vanilla_query) {
  EXPECT_EQ(of_suite("POST", {{"Param1", "value1"}}),
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11");
}

TEST(sign, post_x_www_form_urlencoded) {
  EXPECT_EQ(of_suite("POST", {}, {{"Content-Type", "application/x-www-form-urlencoded"}},
                     "Param1=value1"),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

/// A request of S3's documentation.
std::string of_s3(signable what) {
  const std::string time = "20130524T000000Z";
  what.headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
  what.headers.emplace_back("x-amz-content-sha256", what.payload_sha256);
  what.headers.emplace_back("x-amz-date", time);
  const credentials who{"AKIAIOSFODNN7EXAMPLE", secret{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
                        "us-east-1"};
  return authorization(what, who, time);
}

TEST(sign, s3_s_example_of_get_object) {
  EXPECT_EQ(of_s3({"GET", "/test.txt", {}, {{"Range", "bytes=0-9"}}, empty_sha256}),
            "AWS4-HMAC-SHA256 "
            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(sign, s3_s_example_of_put_object) {
  EXPECT_EQ(signature(of_s3({"PUT",
                             "/" + uri_encode("test$file.text", true),
                             {},
                             {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                              {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                             sha256_of("Welcome to Amazon S3.")})),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(sign, s3_s_example_of_get_bucket_lifecycle) {
  EXPECT_EQ(signature(of_s3({"GET", "/", {{"lifecycle", ""}}, {}, empty_sha256})),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(sign, s3_s_example_of_list_objects) {
  EXPECT_EQ(signature(of_s3({"GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, empty_sha256})),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(sign, s3_s_canonical_request_of_get_object) {
  EXPECT_EQ(sha256_of(canonical_request({"GET",
                                         "/test.txt",
                                         {},
                                         {{"Host", "examplebucket.s3.amazonaws.com"},
                                          {"Range", "bytes=0-9"},
                                          {"x-amz-content-sha256", empty_sha256},
                                          {"x-amz-date", "20130524T000000Z"}},
                                         empty_sha256})),
            "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
}

TEST(sign, what_is_not_unreserved_is_encoded) {
  EXPECT_EQ(uri_encode("a b+c/d%\u00e9"), "a%20b%2Bc%2Fd%25%C3%A9");
  EXPECT_EQ(uri_encode("a/b", true), "a/b");
  EXPECT_EQ(query_string({{"b", "&="}, {"a", ""}}), "a=&b=%26%3D");
}

} // namespace

} // namespace jobrunner::s3
