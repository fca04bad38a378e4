// multipart/form-data, read as it arrives (RFC 7578, RFC 2046 5.1). Bytes are pushed in and events
// come out; a part's data is never kept, so a part may be as large as it likes.
#pragma once

#include "http/text/part_header.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jobrunner::http {

/// Who hears what a body holds: for each part one part_begin, part_data any number of times, one
/// part_end. How a part's data is cut into pieces means nothing. What these throw goes through
/// feed.
class multipart_events {
public:
  virtual void part_begin(const part_header&) = 0;
  /// `bytes` is never empty; valid until the next call of feed, and as long as what feed was given.
  virtual void part_data(std::string_view bytes) = 0;
  virtual void part_end() = 0;

protected:
  ~multipart_events() = default;
};

class multipart_parser {
public:
  /// `to` must outlive the parser. Throws failure{invalid} if this is no boundary.
  multipart_parser(std::string_view boundary, multipart_events& to);
  multipart_parser(const multipart_parser&) = delete;
  multipart_parser& operator=(const multipart_parser&) = delete;
  ~multipart_parser() = default;

  /// Takes the next bytes of the body; linear in their number. What comes before the first part
  /// (64 KiB at most) and after the last is skipped. Throws failure{invalid}: not multipart, or
  /// over a limit of limits.hpp. A parser that threw is of no further use.
  void feed(std::string_view bytes);

  /// Whether the boundary that closes the body has come.
  bool finished() const noexcept { return state_ == state::epilogue; }

  /// Says that the body is over. Throws failure{invalid} unless finished().
  void end() const;

private:
  enum class state : std::uint8_t { preamble, data, delimiter, dash, line_end, head, epilogue };

  std::string_view scan(std::string_view bytes);
  std::string_view take_head(std::string_view bytes);
  void next(char c);
  void pass(std::string_view bytes);
  void open_part();

  multipart_events& to_;
  std::string delimiter_;    // CR LF -- boundary
  std::size_t matched_ = 2;  // bytes of it that end what came; the body's start counts as CR LF
  std::size_t borrowed_ = 2; // those of them that are no data, should the match fail
  state state_ = state::preamble;
  std::string head_; // of the part that begins
  std::size_t parts_ = 0;
  std::size_t preamble_ = 0; // bytes seen of it
  std::size_t padding_ = 0;  // blanks behind a boundary
};

} // namespace jobrunner::http
