#include "http/text/json_members.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace jobrunner::http {

namespace {

constexpr std::string_view blanks = " \t\r\n";

void skip(std::string_view& rest, std::string_view what) {
  rest.remove_prefix(std::min(rest.find_first_not_of(what), rest.size()));
}

// The length of the string that `text` begins with, quotes and all.
std::size_t string_length(std::string_view text) {
  std::size_t at = 1;
  while (text[at] != '"')
    at += text[at] == '\\' ? 2 : 1;
  return at + 1;
}

std::size_t value_length(std::string_view text) {
  if (text[0] == '"')
    return string_length(text);
  if (text[0] != '{' && text[0] != '[')
    return text.find_first_of(",} \t\r\n");
  std::size_t at = 0;
  int depth = 0;
  do {
    if (text[at] == '"') {
      at += string_length(text.substr(at));
      continue;
    }
    if (text[at] == '{' || text[at] == '[')
      ++depth;
    else if (text[at] == '}' || text[at] == ']')
      --depth;
    ++at;
  } while (depth > 0);
  return at;
}

} // namespace

void require_json_object(std::string_view text, const std::string& what) {
  boost::json::parse_options strict;
  strict.max_depth = max_json_depth;
  boost::json::error_code problem;
  const auto value = boost::json::parse(text, problem, {}, strict);
  if (problem)
    throw failure{errc::invalid,
                  what + " is " + shown(text) + ", which is not valid JSON: " + problem.message()};
  if (!value.is_object())
    throw failure{errc::invalid, what + " is " + shown(text) + "; it must be a JSON object"};
}

std::vector<std::pair<std::string, std::string_view>> json_members(std::string_view object) {
  std::vector<std::pair<std::string, std::string_view>> all;
  skip(object, blanks);
  object.remove_prefix(1); // {
  for (;;) {
    skip(object, " \t\r\n,");
    if (object[0] == '}')
      return all;
    const auto name = object.substr(0, string_length(object));
    object.remove_prefix(name.size());
    skip(object, " \t\r\n:");
    const auto value = object.substr(0, value_length(object));
    object.remove_prefix(value.size());
    all.emplace_back(json_string(name), value);
  }
}

std::string json_string(std::string_view raw) {
  const auto value = boost::json::parse(raw);
  return {value.get_string().data(), value.get_string().size()};
}

} // namespace jobrunner::http
