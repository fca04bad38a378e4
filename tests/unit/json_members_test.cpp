#include "expect_failure.hpp"
#include "http/text/json_members.hpp"

namespace jobrunner::http {

namespace {

using members = std::vector<std::pair<std::string, std::string_view>>;

members of(std::string_view text) {
  require_json_object(text, "it");
  return json_members(text);
}

} // namespace

TEST(json_members, values_are_kept_as_written) {
  EXPECT_EQ(of("{}"), members{});
  EXPECT_EQ(of(" \n{ \t} "), members{});
  const std::string_view text = R"( { "a" : 0.10 ,"b":1E5,"c":"x\"}","d":{"e":[1,{"}":"]"}]} ,
      "f":true,"g":null,"h":[ ], "" : -0,"i":12345678901234567890123} )";
  const members expected{{"a", "0.10"},
                         {"b", "1E5"},
                         {"c", R"("x\"}")"},
                         {"d", R"({"e":[1,{"}":"]"}]})"},
                         {"f", "true"},
                         {"g", "null"},
                         {"h", "[ ]"},
                         {"", "-0"},
                         {"i", "12345678901234567890123"}};
  EXPECT_EQ(of(text), expected);
}

TEST(json_members, names_are_decoded_and_twins_stay) {
  const members expected{{"a", "1"}, {"a", "2"}, {"\"\\\u20ac", "3"}};
  EXPECT_EQ(of(R"({"a":1,"\u0061":2,"\"\\\u20ac":3})"), expected);
}

TEST(json_members, strings_that_look_like_structure_are_strings) {
  const members expected{{"\\", R"("\\")"}, {"b", R"({"c":"\\\"}{"})"}, {"d", "1"}};
  EXPECT_EQ(of(R"({"\\":"\\","b":{"c":"\\\"}{"},"d":1})"), expected);
}

TEST(json_members, only_objects_pass) {
  for (const char* bad : {"",
                          " ",
                          "[]",
                          "1",
                          "\"x\"",
                          "null",
                          "{",
                          "{]",
                          "{}}",
                          "{} {}",
                          "{a:1}",
                          "{'a':1}",
                          "{\"a\":1,}",
                          "{\"a\":NaN}",
                          "{\"a\":01}",
                          "{\"a\":+1}",
                          "{\"a\":Infinity}",
                          "{\"a\":\"\n\"}",
                          "{\"a\":\"\xff\"}",
                          "{\"a\":\"\\ud800\"}",
                          "{}//",
                          "\xef\xbb\xbf{}"})
    EXPECT_TRUE(
        refusal([&] { require_json_object(bad, "params_json"); }).starts_with("params_json is "))
        << bad;
  EXPECT_THROW(require_json_object({"{\"a\":\"\0\"}", 9}, "it"), failure);
}

TEST(json_members, depth_is_bounded) {
  const auto nested = [](int depth) { // the object itself is the first level
    return "{\"a\":" + std::string(static_cast<std::size_t>(depth - 1), '[') +
           std::string(static_cast<std::size_t>(depth - 1), ']') + "}";
  };
  EXPECT_NO_THROW(require_json_object(nested(32), "it"));
  EXPECT_THROW(require_json_object(nested(33), "it"), failure);
  EXPECT_THROW(require_json_object(nested(1'000'000), "it"), failure);
}

} // namespace jobrunner::http
