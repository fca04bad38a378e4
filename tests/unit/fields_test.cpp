#include "expect_failure.hpp"
#include "http/text/fields.hpp"
#include "http/text/limits.hpp"

#include <limits>

namespace jobrunner::http {

namespace {

constexpr std::int64_t least64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most64 = std::numeric_limits<std::int64_t>::max();

fields form(std::string value) {
  return fields::from_pairs({{"cpus", std::move(value)}});
}

fields json(const std::string& value) {
  return fields::from_json("{\"cpus\":" + value + "}");
}

} // namespace

TEST(fields, come_alike_from_a_form_and_from_json) {
  for (const auto& all :
       {fields::from_pairs({{"n", "7"}, {"t", "x y"}, {"b", "true"}, {"p", "{\"a\":0.10}"}}),
        fields::from_json(R"({"n":7,"t":"x y","b":true,"p":{"a":0.10}})"),
        fields::from_json(R"({"n":"7","t":"x y","b":"true","p":"{\"a\":0.10}"})")}) {
    EXPECT_EQ(all.integer("n", 0, 9), 7);
    EXPECT_EQ(all.text("n"), "7");
    EXPECT_EQ(all.text("t"), "x y");
    EXPECT_TRUE(all.boolean_or("b", false));
    EXPECT_EQ(all.json_text_or("p", "{}"), "{\"a\":0.10}");
  }
}

TEST(fields, that_are_missing_have_their_default_or_are_named) {
  for (const auto& none : {fields{}, fields::from_json("{}"), fields::from_json(R"({"n":null})")}) {
    EXPECT_FALSE(none.has("n"));
    EXPECT_EQ(none.text_or("n", "d"), "d");
    EXPECT_EQ(none.integer_or("n", 42, 0, 9), 42);
    EXPECT_TRUE(none.boolean_or("n", true));
    EXPECT_EQ(none.json_text_or("n", "{}"), "{}");
    EXPECT_TRUE(says(refusal([&] { none.text("n"); }), "field n is missing"));
    EXPECT_TRUE(says(refusal([&] { none.integer("n", 0, 9); }), "field n is missing"));
  }
}

TEST(fields, that_are_empty_are_not_missing) {
  EXPECT_TRUE(form("").has("cpus"));
  EXPECT_EQ(form("").text_or("cpus", "d"), "");
  EXPECT_THROW(form("").integer_or("cpus", 4, 0, 9), failure);
  EXPECT_THROW(form("").json_text_or("cpus", "{}"), failure);
}

TEST(fields, whole_numbers_are_whole_and_in_range) {
  for (const char* bad :
       {"",    " ",    "abc",  "1.5", "1e3", "+4",     " 4",       "4 ",
        "0x4", "4,0",  "4\n",  "--4", "-",   "4 cpus", "\xd9\xa4", "99999999999999999999",
        "NaN", "true", "4;id", "$(4)"}) {
    const auto sentence = refusal([&] { form(bad).integer("cpus", 1, 64); });
    EXPECT_TRUE(sentence.starts_with("cpus is \"") && says(sentence, "from 1 to 64")) << sentence;
  }
  for (const char* bad :
       {"1.5", "4.0", "1e2", "true", "{}", "\"\"", "\"x\"", "9223372036854775808", "-1"})
    EXPECT_THROW(json(bad).integer("cpus", 0, most64), failure) << bad;
  EXPECT_EQ(form("1").integer("cpus", 1, 64), 1);
  EXPECT_EQ(form("64").integer("cpus", 1, 64), 64);
  EXPECT_THROW(form("0").integer("cpus", 1, 64), failure);
  EXPECT_THROW(form("65").integer("cpus", 1, 64), failure);
  EXPECT_EQ(form("-9223372036854775808").integer("cpus", least64, most64), least64);
  EXPECT_EQ(json("9223372036854775807").integer("cpus", least64, most64), most64);
  EXPECT_THROW(form("9223372036854775808").integer("cpus", least64, most64), failure);
  EXPECT_THROW(form("-9223372036854775809").integer("cpus", least64, most64), failure);
}

TEST(fields, a_long_or_unprintable_value_is_shown_cut_and_safe) {
  const auto sentence =
      refusal([] { form("\x1b[2J" + std::string(60000, 'x')).integer("cpus", 1, 2); });
  EXPECT_LT(sentence.size(), 300U);
  EXPECT_TRUE(says(sentence, "\\x1b[2J"));
}

TEST(fields, truth_has_few_spellings) {
  for (const char* yes : {"true", "True", "TRUE", "1"})
    EXPECT_TRUE(form(yes).boolean_or("cpus", false)) << yes;
  for (const char* no : {"false", "False", "FALSE", "0"})
    EXPECT_FALSE(form(no).boolean_or("cpus", true)) << no;
  for (const char* bad : {"", "yes", "no", "2", "on", "t", " true"})
    EXPECT_TRUE(says(refusal([&] { form(bad).boolean_or("cpus", true); }), "true or false")) << bad;
}

TEST(fields, json_text_is_an_object_byte_for_byte) {
  for (const char* text : {"{}", " { \"a\" : 1.0 } ", R"({"a":"\u0000'; id #"})"})
    EXPECT_EQ(form(text).json_text_or("cpus", "x"), text);
  EXPECT_EQ(json("{ \"a\" : [1.0, 2e0] }").json_text_or("cpus", "x"), "{ \"a\" : [1.0, 2e0] }");
  for (const char* bad : {"", "[]", "1", "null", "{", "{'a':1}"})
    EXPECT_TRUE(says(refusal([&] { form(bad).json_text_or("cpus", "x"); }), "cpus is ")) << bad;
  EXPECT_THROW(json("7").json_text_or("cpus", "x"), failure);
  EXPECT_THROW(json("{}").text("cpus"), failure);
}

TEST(fields, a_name_given_twice_is_refused) {
  EXPECT_TRUE(says(refusal([] {
                     fields::from_pairs({{"a", "1"}, {"b", ""}, {"a", "1"}});
                   }),
                   "\"a\""));
  refusal([] { fields::from_json(R"({"a":1,"a":1})"); });
  refusal([] { fields::from_json(R"({"a":null,"\u0061":1})"); });
}

TEST(fields, numbers_come_as_text_or_as_a_list) {
  const auto of = [](const fields& f) { return f.integers("cpus", 1, 100); };
  const std::vector<std::int64_t> three{3, 45, 6};
  EXPECT_EQ(of(form("3,45,6")), three);
  EXPECT_EQ(of(form(" 3, 45 ,6")), three);
  EXPECT_EQ(of(json("[3,\n 45,\t6 ]")), three);
  EXPECT_EQ(of(json("\"3,45,6\"")), three);
  EXPECT_EQ(of(json("7")), std::vector<std::int64_t>{7});
  EXPECT_TRUE(of(form("")).empty());
  EXPECT_TRUE(of(json("[ ]")).empty());
  for (const char* bad :
       {",", "3,", ",3", "3,,4", "a", "3;4", "0", "101", "-1", "3 4", "1.5", "[3]"})
    EXPECT_TRUE(says(refusal([&] { of(form(bad)); }), "cpus is ")) << bad;
  for (const char* bad : {"[[3]]", "[\"3\"]", "[null]", "{\"a\":3}", "[3,]", "true"})
    EXPECT_THROW(of(json(bad)), failure) << bad;
}

TEST(fields, a_list_is_no_text) {
  EXPECT_TRUE(says(refusal([] { json("[1]").text("cpus"); }), "list"));
  EXPECT_THROW(json("[1]").integer("cpus", 0, 9), failure);
}

TEST(fields, other_bodies_are_refused) {
  for (const char* bad : {"", "[]", "a=b", "{\"a\":1", "7"})
    EXPECT_TRUE(says(refusal([&] { fields::from_json(bad); }), "the body")) << bad;
}

TEST(fields, text_is_utf8_without_zero_bytes) {
  refusal([] { form("\xff"); });
  refusal([] { form(std::string{"a\0b", 3}); });
  refusal([] { fields::from_pairs({{"\xff", "a"}}); });
  refusal([] { json(R"("a\u0000b")"); });
  refusal([] { fields::from_json(R"({"a\u0000b":1})"); });
}

TEST(fields, are_bounded_in_size_and_number) {
  EXPECT_EQ(form(std::string(max_field_bytes, 'a')).text("cpus").size(), max_field_bytes);
  refusal([] { form(std::string(max_field_bytes + 1, 'a')); });
  refusal([] { json('"' + std::string(max_field_bytes + 1, 'a') + '"'); });
  pairs many;
  for (std::size_t i = 0; i < max_fields; ++i)
    many.emplace_back(std::to_string(i), "");
  EXPECT_TRUE(fields::from_pairs(many).has("255"));
  many.emplace_back("256", "");
  refusal([&] { fields::from_pairs(many); });
  std::string body = "{\"0\":0";
  for (int i = 1; i < 200'000; ++i)
    body += ",\"" + std::to_string(i) + "\":0";
  refusal([&] { fields::from_json(body + "}"); });
}

TEST(fields, that_nobody_knows_are_refused_with_those_that_are) {
  EXPECT_NO_THROW(form("1").allow({"gpus", "cpus"}));
  EXPECT_NO_THROW(fields{}.allow({}));
  const auto sentence = refusal([] { form("1").allow({"gpus", "cpu"}); });
  EXPECT_TRUE(says(sentence, "\"cpus\"") && says(sentence, "gpus, cpu")) << sentence;
  EXPECT_TRUE(says(refusal([] { form("1").allow({}); }), "none"));
  refusal([] { json("null").allow({"gpus"}); });
}

TEST(fields, carry_hostile_values_byte_for_byte) {
  for (const char* value :
       {"; id", "$(id)", "`id`", "a\nb", "\r\n#SBATCH --wait", "--wrap=id", "'\"\\", "%s%n",
        "../../etc/passwd", "\x1b[31m", "{{7*7}}", "\u202etxt", "\U0001f4a9", "NULL"})
    EXPECT_EQ(form(value).text("cpus"), value);
}

} // namespace jobrunner::http
