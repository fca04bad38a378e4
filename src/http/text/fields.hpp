// The named fields of a request, however they came: multipart, urlencoded, a JSON object or a
// query. Whoever reads one gets it in the type it should have, or a sentence that says what is
// wrong.
//
// Everything here throws failure{invalid} that names the field, its value and what would be right.
#pragma once

#include "http/text/urlencoded.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::http {

class fields {
public:
  /// No fields at all.
  fields() = default;

  /// The members of a JSON object. A null is a field that was not given.
  /// The size of `body` is the caller's concern; its values have the limits of limits.hpp.
  static fields from_json(std::string_view body);

  /// Names and values of a form or a query. Refused: a name twice, what is not UTF-8, zero bytes,
  /// and more than limits.hpp allows.
  static fields from_pairs(const pairs&);

  /// Refuses a field that is not among `known` and lists those: a mistyped name is not silence.
  void allow(std::initializer_list<std::string_view> known) const;

  bool has(std::string_view name) const { return find(name) != nullptr; }

  /// The field's text, which may be empty; JSON's numbers, true and false as they were written.
  std::string text(std::string_view name) const; // must be given
  std::string text_or(std::string_view name, std::string_view otherwise) const;

  /// A whole decimal number from `least` to `most`, given as text or as a JSON number.
  std::int64_t integer(std::string_view name, std::int64_t least, std::int64_t most) const;
  std::int64_t integer_or(std::string_view name, std::int64_t otherwise, std::int64_t least,
                          std::int64_t most) const;

  /// Whole numbers from `least` to `most`: "3,5" as text, or a number or a list of them in JSON.
  /// Empty text is none.
  std::vector<std::int64_t> integers(std::string_view name, std::int64_t least,
                                     std::int64_t most) const; // must be given

  /// true or false, in any case of letters (Python writes True), 1 or 0.
  bool boolean_or(std::string_view name, bool otherwise) const;

  /// The text of a JSON object, byte for byte as sent: given as text, or in a JSON body as itself.
  std::string json_text_or(std::string_view name, std::string_view otherwise) const;

  /// All that was given, in one order and the same however it came: equal for equal requests.
  std::string canonical() const;

private:
  enum class kind : std::uint8_t { text, scalar, object, list, null };
  struct field {
    std::string name;
    kind what = kind::text;
    std::string value; // of text: decoded; of the others: JSON as written
  };

  void add(field);
  const field* find(std::string_view name) const;
  const field& get(std::string_view name) const;
  std::vector<field> all_; // a handful, so searched from front to back
};

} // namespace jobrunner::http
