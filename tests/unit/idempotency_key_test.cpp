#include "expect_failure.hpp"
#include "http/text/idempotency_key.hpp"

#include <gtest/gtest.h>

namespace jobrunner::http {

namespace {

TEST(idempotency_key, quoted_and_bare_are_the_same_key) {
  const std::string uuid = "8e03978e-40d5-43dd-bc93-6894a57f9324";
  EXPECT_EQ(parse_idempotency_key("\"" + uuid + "\""), uuid);
  EXPECT_EQ(parse_idempotency_key(uuid), uuid);
  EXPECT_EQ(parse_idempotency_key("  " + uuid + " "), uuid);
}

TEST(idempotency_key, a_backslash_protects_a_quote_and_itself) {
  EXPECT_EQ(parse_idempotency_key(R"("a \"b\" \\ c")"), R"(a "b" \ c)");
}

TEST(idempotency_key, what_is_no_key_is_refused_and_quoted) {
  for (const std::string bad :
       {"", " ", "\"\"", "\"", "\"a", "a\"", "\"a\"b", "\"a\";x=1", "a b", "a,b", "a;b", "\"a\\b\"",
        "\"a\\", "k\xc3\xa4y", "a\tb", "\"a\x7f\"", "\x01"})
    EXPECT_THROW(parse_idempotency_key(bad), failure) << bad;
  EXPECT_THROW(parse_idempotency_key(std::string(256, 'k')), failure);
  EXPECT_EQ(parse_idempotency_key(std::string(255, 'k')).size(), 255U);
}

} // namespace

} // namespace jobrunner::http
