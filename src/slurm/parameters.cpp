#include "slurm/parameters.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace jobrunner::slurm {

namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 8> types{"string", "number",  "integer", "boolean",
                                                "path",   "strings", "object",  "any"};
constexpr std::array<std::string_view, 7> keys{"type",    "default", "required",   "minimum",
                                               "maximum", "enum",    "description"};

std::string quoted(std::string_view name) {
  return '"' + std::string{name} + '"';
}

std::string display(const json::value& v) {
  return v.is_string() ? shown(v.get_string()) : shown(json::serialize(v));
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

// Wide enough for every 64-bit integer, so that a limit of one is exact.
std::optional<long double> number(const json::value& v) {
  if (v.is_int64())
    return static_cast<long double>(v.get_int64());
  if (v.is_uint64())
    return static_cast<long double>(v.get_uint64());
  if (v.is_double() && std::isfinite(v.get_double()))
    return static_cast<long double>(v.get_double());
  return std::nullopt;
}

// 3.0 and 3e2 are integers to JSON, as far as a double counts exactly.
bool is_integer(const json::value& v) {
  constexpr double exact = 9007199254740992.0; // 2^53
  return v.is_int64() || v.is_uint64() ||
         (v.is_double() && std::trunc(v.get_double()) == v.get_double() &&
          std::abs(v.get_double()) <= exact);
}

bool is_path_inside(std::string_view path) {
  if (path.empty() || path.size() > 4095 || path.front() == '/' || has_nul(path))
    return false;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    if (path.substr(at, end - at) == "..")
      return false;
    at = end + 1;
  }
  return true;
}

bool is_text(const json::value& v) {
  return v.is_string() && !has_nul(v.get_string());
}

bool is_texts(const json::value& v) {
  return v.is_array() && std::ranges::all_of(v.get_array(), is_text);
}

struct verdict {
  bool fits;
  const char* wanted;
};

verdict judge(std::string_view type, const json::value& v) {
  if (type == "string")
    return {is_text(v), "a string without a NUL"};
  if (type == "number")
    return {number(v).has_value(), "a number"};
  if (type == "integer")
    return {is_integer(v), "an integer"};
  if (type == "boolean")
    return {v.is_bool(), "true or false"};
  if (type == "path")
    return {v.is_string() && is_path_inside(v.get_string()),
            "a path inside the dataset: relative, without \"..\""};
  if (type == "strings")
    return {is_texts(v), "a list of strings without a NUL"};
  return {type == "any" || v.is_object(), "an object"};
}

bool equal(const json::value& a, const json::value& b) {
  const auto x = number(a), y = number(b);
  return x && y ? *x == *y : a == b; // 1 and 1.0 are the same number
}

/// Why `given` does not fit, as what it must be; empty if it does.
std::string complaint(const json::object& declared, const json::value& given) {
  const auto [fits, wanted] = judge(declared.at("type").as_string(), given);
  if (!fits)
    return wanted;
  const auto value = number(given);
  if (const auto* least = declared.if_contains("minimum"); least && value < number(*least))
    return "at least " + json::serialize(*least);
  if (const auto* most = declared.if_contains("maximum"); most && value > number(*most))
    return "at most " + json::serialize(*most);
  const auto* allowed = declared.if_contains("enum");
  const auto same = [&](const json::value& v) { return equal(v, given); };
  if (allowed && std::ranges::none_of(allowed->as_array(), same))
    return "one of " + json::serialize(*allowed);
  return {};
}

} // namespace

void check_declaration(std::string_view name, const json::value& declared) {
  const auto wrong = [&](const std::string& why) {
    return failure{errc::invalid, "parameter " + quoted(name) + " " + why};
  };
  if (name.empty() || name.find_first_of("{}") != std::string_view::npos || has_nul(name))
    throw wrong("needs a name without braces");
  const auto* d = declared.if_object();
  if (!d)
    throw wrong("must be an object");
  for (const auto& [key, value] : *d)
    if (std::ranges::find(keys, std::string_view{key}) == keys.end())
      throw wrong("has an unknown key " + shown(key));
  const auto* type = d->if_contains("type");
  if (!type || !type->is_string() ||
      std::ranges::find(types, std::string_view{type->get_string()}) == types.end())
    throw wrong("needs a type: string, number, integer, boolean, path, strings, object or any");
  const bool counts = type->get_string() == "number" || type->get_string() == "integer";
  for (const auto* limit : {"minimum", "maximum"})
    if (const auto* v = d->if_contains(limit); v && !(counts && number(*v)))
      throw wrong(std::string{limit} + " must be a number, for a number");
  if (const auto* v = d->if_contains("enum"); v && !(v->is_array() && !v->get_array().empty()))
    throw wrong("enum must be a list of values");
  if (const auto* v = d->if_contains("required"); v && !v->is_bool())
    throw wrong("required must be true or false");
  if (const auto* v = d->if_contains("description"); v && !v->is_string())
    throw wrong("description must be a string");
  if (const auto* v = d->if_contains("default"))
    if (const auto why = complaint(*d, *v); !why.empty())
      throw wrong("has a default that does not fit: it must be " + why);
}

void check_value(std::string_view name, const json::object& declared, const json::value& given) {
  const auto why = complaint(declared, given);
  if (!why.empty())
    throw failure{errc::invalid,
                  "params: " + quoted(name) + " is " + display(given) + " but must be " + why};
}

std::string as_argument(const json::object& declared, const json::value& v) {
  if (v.is_double()) { // Boost.JSON writes 0.1 as 1E-1
    std::array<char, 64> text{};
    const bool whole = declared.at("type").as_string() == "integer";
    const auto end = whole ? std::to_chars(text.data(), text.data() + text.size(),
                                           static_cast<std::int64_t>(v.get_double()))
                           : std::to_chars(text.data(), text.data() + text.size(), v.get_double());
    return {text.data(), end.ptr};
  }
  if (!v.is_string())
    return json::serialize(v);
  const std::string text{v.get_string()};
  const bool dashed = declared.at("type").as_string() == "path" && text.starts_with('-');
  return dashed ? "./" + text : text;
}

std::vector<std::string> as_arguments(const json::value& v) {
  std::vector<std::string> all;
  for (const auto& item : v.as_array())
    all.emplace_back(item.as_string());
  return all;
}

} // namespace jobrunner::slurm
