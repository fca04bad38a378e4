#include "http/text/fields.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "http/text/ascii.hpp"
#include "http/text/json_members.hpp"
#include "http/text/limits.hpp"

#include <charconv>
#include <map>

namespace jobrunner::http {

namespace {

[[noreturn]] void refuse(const std::string& sentence) {
  throw failure{errc::invalid, sentence};
}

void check(std::string_view name, std::string_view value) {
  if (name.size() > max_field_bytes || value.size() > max_field_bytes)
    refuse("the field " + shown(name) + " is longer than 64 KiB");
  if (!is_utf8(name) || !is_utf8(value))
    refuse("the field " + shown(name) + " is not valid UTF-8: " + shown(value));
  if (name.find('\0') != std::string_view::npos || value.find('\0') != std::string_view::npos)
    refuse("the field " + shown(name) + " holds a zero byte: " + shown(value));
}

} // namespace

fields fields::from_json(std::string_view body) {
  require_json_object(body, "the body");
  fields all;
  for (auto& [name, raw] : json_members(body)) {
    switch (raw[0]) {
      case '"':
        all.add({std::move(name), kind::text, json_string(raw)});
        break;
      case '{':
        all.add({std::move(name), kind::object, std::string{raw}});
        break;
      case '[':
        refuse("the field " + shown(name) + " is a list; give text, a number or an object");
      default:
        all.add({std::move(name), raw == "null" ? kind::null : kind::scalar, std::string{raw}});
    }
  }
  return all;
}

fields fields::from_pairs(const pairs& given) {
  fields all;
  for (const auto& [name, value] : given)
    all.add({name, kind::text, value});
  return all;
}

void fields::add(field one) {
  check(one.name, one.value);
  // First, so that looking for twins stays cheap.
  if (all_.size() == max_fields)
    refuse("more than 256 fields");
  for (const auto& other : all_)
    if (other.name == one.name)
      refuse("the field " + shown(one.name) + " is given twice");
  all_.push_back(std::move(one));
}

const fields::field* fields::find(std::string_view name) const {
  for (const auto& one : all_)
    if (one.name == name && one.what != kind::null)
      return &one;
  return nullptr;
}

const fields::field& fields::get(std::string_view name) const {
  const field* one = find(name);
  if (!one)
    refuse("the field " + std::string{name} + " is missing");
  return *one;
}

void fields::allow(std::initializer_list<std::string_view> known) const {
  for (const auto& one : all_) {
    if (std::ranges::find(known, one.name) != known.end())
      continue;
    std::string list;
    for (const auto name : known)
      list.append(list.empty() ? "" : ", ").append(name);
    refuse("unknown field " + shown(one.name) +
           (list.empty() ? "; this call takes none" : "; this call knows " + list));
  }
}

std::string fields::text(std::string_view name) const {
  const field& one = get(name);
  if (one.what == kind::object)
    refuse(one.name + " is " + shown(one.value) + "; it must be text, not an object");
  return one.value;
}

std::string fields::text_or(std::string_view name, std::string_view otherwise) const {
  return has(name) ? text(name) : std::string{otherwise};
}

std::int64_t fields::integer(std::string_view name, std::int64_t least, std::int64_t most) const {
  const field& one = get(name);
  const char* const end = one.value.data() + one.value.size();
  std::int64_t number = 0;
  const auto [stop, problem] = std::from_chars(one.value.data(), end, number);
  if (problem != std::errc{} || stop != end || number < least || number > most)
    refuse(one.name + " is " + shown(one.value) + "; it must be a whole number from " +
           std::to_string(least) + " to " + std::to_string(most));
  return number;
}

std::int64_t fields::integer_or(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                std::int64_t most) const {
  return has(name) ? integer(name, least, most) : otherwise;
}

bool fields::boolean_or(std::string_view name, bool otherwise) const {
  const field* one = find(name);
  if (!one)
    return otherwise;
  if (same_word(one->value, "true") || one->value == "1")
    return true;
  if (same_word(one->value, "false") || one->value == "0")
    return false;
  refuse(one->name + " is " + shown(one->value) + "; it must be true or false");
}

std::string fields::canonical() const {
  std::map<std::string_view, std::string_view> sorted;
  for (const auto& one : all_)
    if (one.what != kind::null)
      sorted.emplace(one.name, one.value);
  std::string text;
  for (const auto& [name, value] : sorted)
    for (const auto part : {name, value})
      text.append(std::to_string(part.size())).append(":").append(part);
  return text;
}

std::string fields::json_text_or(std::string_view name, std::string_view otherwise) const {
  const field* one = find(name);
  if (!one)
    return std::string{otherwise};
  if (one->what != kind::object)
    require_json_object(one->value, one->name);
  return one->value;
}

} // namespace jobrunner::http
