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

/// Without JSON's blanks around it, which are lines too.
std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
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
        all.add({std::move(name), kind::list, std::string{raw}});
        break;
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
  if (one.what == kind::object || one.what == kind::list)
    refuse(one.name + " is " + shown(one.value) + "; it must be text, not " +
           (one.what == kind::object ? "an object" : "a list"));
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

std::vector<std::int64_t> fields::integers(std::string_view name, std::int64_t least,
                                           std::int64_t most) const {
  const field& one = get(name);
  const auto wrong = [&] {
    refuse(one.name + " is " + shown(one.value) + "; it must be whole numbers from " +
           std::to_string(least) + " to " + std::to_string(most) + ", separated by commas");
  };
  std::string_view rest{one.value};
  if (one.what == kind::list)
    rest = without_blanks(rest.substr(1, rest.size() - 2));
  std::vector<std::int64_t> numbers;
  for (bool more = !rest.empty(); more;) {
    const auto comma = rest.find(',');
    const auto item = without_blanks(rest.substr(0, comma));
    more = comma != std::string_view::npos;
    rest.remove_prefix(more ? comma + 1 : rest.size());
    std::int64_t number = 0;
    const auto* end = item.data() + item.size();
    const auto [stop, problem] = std::from_chars(item.data(), end, number);
    if (problem != std::errc{} || stop != end || number < least || number > most)
      wrong();
    numbers.push_back(number);
  }
  return numbers;
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
