#include "expect_failure.hpp"
#include "http/body.hpp"

#include <gtest/gtest.h>

namespace jobrunner::http {

namespace {

constexpr const char* multipart = "multipart/form-data; boundary=xyz";

std::string part(const std::string& name, const std::string& value) {
  return "--xyz\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

TEST(parse_form, the_three_kinds_of_bodies_say_the_same) {
  const std::string key = "command_key", value = "a b&c=\xc3\xa4\r\n\"";
  for (const auto& form :
       {parse_form(multipart, part(key, value) + "--xyz--\r\n"),
        parse_form("application/x-www-form-urlencoded", "command_key=a+b%26c%3D%C3%A4%0D%0A%22"),
        parse_form("application/json", R"({"command_key": "a b&c=ä\r\n\""})")})
    EXPECT_EQ(form.text(key), value);
}

TEST(parse_form, the_kind_is_known_in_any_case_and_with_parameters) {
  EXPECT_TRUE(parse_form("Application/JSON; charset=utf-8", R"({"a": "1"})").has("a"));
  EXPECT_TRUE(parse_form(" application/x-www-form-urlencoded ;x=y", "a=1").has("a"));
}

TEST(parse_form, an_empty_body_has_no_fields_whatever_its_kind) {
  EXPECT_FALSE(parse_form("", "").has("a"));
  EXPECT_FALSE(parse_form("text/plain", "").has("a"));
}

TEST(parse_form, another_kind_of_body_is_unsupported) {
  for (const auto* kind : {"", "text/plain", "application/xml", "application/jsonx", "json"})
    EXPECT_TRUE(
        says(refusal([&] { parse_form(kind, "a=1"); }, errc::unsupported), "application/json"))
        << kind;
}

TEST(parse_form, a_broken_body_is_refused) {
  refusal([] { parse_form(multipart, part("a", "1")); }); // no end
  refusal([] { parse_form("multipart/form-data", "--xyz--"); });
  refusal([] { parse_form("application/json", "{"); });
  refusal([] { parse_form("application/json", "[1]"); });
  refusal([] { parse_form("application/x-www-form-urlencoded", "a=%zz"); });
}

TEST(parse_form, a_field_that_is_too_large_is_refused_by_its_name) {
  EXPECT_TRUE(says(refusal([] {
                     parse_form(multipart,
                                part("params_json", std::string(1U << 20U, 'x')) + "--xyz--\r\n");
                   }),
                   "params_json"));
}

beast::fields with(const std::string& authorization) {
  beast::fields headers;
  headers.set(beast::field::authorization, authorization);
  return headers;
}

TEST(check_token, the_token_opens) {
  const secret token{"s3cret"};
  EXPECT_NO_THROW(check_token(with("Bearer s3cret"), token));
  EXPECT_NO_THROW(check_token(with("bearer   s3cret "), token)); // RFC 9110, 11.4
}

TEST(check_token, anything_else_does_not) {
  const secret token{"s3cret"};
  for (const auto* wrong :
       {"", "Bearer", "Bearer ", "s3cret", "Basic s3cret", "Bearer s3cre", "Bearer s3crett",
        "Bearer S3CRET", "Bearer s3cret x", "Bearers3cret", "Bearer\ts3cret", "Bearer s3cret,"})
    refusal([&] { check_token(with(wrong), token); }, errc::unauthorized);
  refusal([&] { check_token({}, token); }, errc::unauthorized);
}

TEST(check_token, it_may_come_as_an_api_key_beside_what_a_proxy_says) {
  const secret token{"s3cret"};
  for (const auto* others : {"", "Basic dXNlcjpwYXNz", "Negotiate x", "Bearer s3cret"}) {
    auto headers = with(others);
    headers.set("x-api-key", "s3cret");
    EXPECT_NO_THROW(check_token(headers, token)) << others;
  }
  beast::fields alone;
  alone.set("X-API-Key", " s3cret ");
  EXPECT_NO_THROW(check_token(alone, token));
}

TEST(check_token, two_credentials_that_differ_open_nothing) {
  const secret token{"s3cret"};
  const auto refused = [&](const char* bearer, const char* key) {
    auto headers = with(bearer);
    headers.insert("X-API-Key", key);
    refusal([&] { check_token(headers, token); }, errc::unauthorized);
  };
  refused("Bearer s3cret", "other");
  refused("Bearer other", "s3cret");
  refused("Bearer s3cret", "");
  refused("Basic s3cret", "other");
  refused("", "Bearer s3cret");
  auto headers = with("Basic x");
  headers.insert("X-API-Key", "s3cret");
  headers.insert("X-API-Key", "s3cret");
  refusal([&] { check_token(headers, token); }, errc::unauthorized);
}

TEST(check_token, the_refusal_tells_nothing_of_the_token) {
  const auto why =
      refusal([] { check_token(with("Bearer guess"), secret{"s3cret"}); }, errc::unauthorized);
  EXPECT_FALSE(says(why, "s3cret"));
  EXPECT_FALSE(says(why, "guess"));
}

} // namespace

} // namespace jobrunner::http
