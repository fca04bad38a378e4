#include "http/text/multipart.hpp"

#include "core/error.hpp"
#include "http/text/limits.hpp"

#include <algorithm>
#include <cstring>

namespace jobrunner::http {

namespace {} // namespace

multipart_parser::multipart_parser(std::string_view boundary, multipart_events& to)
    : to_(to),
      delimiter_("\r\n--" + std::string{boundary}) {
  if (!is_boundary(boundary))
    refuse_multipart("this is no boundary");
}

void multipart_parser::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    switch (state_) {
      case state::preamble:
      case state::data:
        bytes = scan(bytes);
        break;
      case state::head:
        bytes = take_head(bytes);
        break;
      case state::epilogue:
        return;
      default:
        next(bytes[0]);
        bytes.remove_prefix(1);
    }
  }
}

void multipart_parser::end() const {
  if (finished())
    return;
  refuse_multipart(parts_ == 0 && state_ == state::preamble
                       ? "no part begins with the boundary"
                       : "it ends before the boundary that closes it");
}

// Passes data on up to the next delimiter and gives back what follows that, or nothing.
//
// CR occurs in the delimiter at its beginning alone. So where a comparison fails no other match
// can have begun inside it, and looking for the next CR finds them all in linear time.
std::string_view multipart_parser::scan(std::string_view bytes) {
  const std::string_view whole = delimiter_;
  if (matched_ > 0) { // it may have begun in what came before
    const auto missing = whole.substr(matched_);
    const auto same =
        static_cast<std::size_t>(std::ranges::mismatch(missing, bytes).in1 - missing.begin());
    if (same == bytes.size() && same < missing.size()) {
      matched_ += same;
      return {};
    }
    if (same == missing.size()) {
      matched_ = borrowed_ = 0;
      if (state_ == state::data)
        to_.part_end();
      state_ = state::delimiter;
      return bytes.substr(same);
    }
    // It was data after all. What of it lies in `bytes` goes with the rest of them.
    pass(whole.substr(borrowed_, matched_ - borrowed_));
    matched_ = borrowed_ = 0;
  }
  std::size_t at = 0;
  for (;;) {
    const void* found = std::memchr(bytes.data() + at, '\r', bytes.size() - at);
    if (!found)
      break;
    at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    const auto here = bytes.substr(at, whole.size());
    if (whole.starts_with(here)) {
      pass(bytes.substr(0, at));
      if (here.size() < whole.size()) {
        matched_ = here.size();
        return {};
      }
      if (state_ == state::data)
        to_.part_end();
      state_ = state::delimiter;
      return bytes.substr(at + whole.size());
    }
    if (++at == bytes.size())
      break;
  }
  pass(bytes);
  return {};
}

void multipart_parser::pass(std::string_view bytes) {
  if (bytes.empty())
    return;
  if (state_ == state::data) {
    to_.part_data(bytes);
    return;
  }
  preamble_ += bytes.size();
  if (preamble_ > max_preamble)
    refuse_multipart("more than 64 KiB come before the first boundary");
}

// What follows a boundary: "--" behind the last one, else blanks and CR LF (RFC 2046, 5.1.1).
void multipart_parser::next(char c) {
  const bool first = padding_ == 0;
  if (state_ == state::delimiter && (c == ' ' || c == '\t')) {
    if (++padding_ > max_part_head)
      refuse_multipart("too many blanks follow a boundary");
  } else if (state_ == state::delimiter && c == '\r') {
    state_ = state::line_end;
  } else if (state_ == state::delimiter && c == '-' && first) {
    state_ = state::dash;
  } else if (state_ == state::dash && c == '-') {
    state_ = state::epilogue;
  } else if (state_ == state::line_end && c == '\n') {
    open_part();
  } else {
    refuse_multipart("text follows a boundary on its line; a boundary must not occur in the data");
  }
}

void multipart_parser::open_part() {
  if (++parts_ > max_parts)
    refuse_multipart("more than 64 parts");
  padding_ = 0;
  head_ = "\r\n"; // so that an empty header ends like any other, with CR LF CR LF
  state_ = state::head;
}

std::string_view multipart_parser::take_head(std::string_view bytes) {
  constexpr std::string_view blank_line = "\r\n\r\n";
  const auto had = head_.size();
  head_ += bytes.substr(0, max_part_head + blank_line.size() - had);
  const auto found = head_.find(blank_line, had < 3 ? 0 : had - 3);
  if (found == std::string::npos) {
    if (head_.size() >= max_part_head + blank_line.size())
      refuse_multipart("the header of a part is longer than 8 KiB");
    return {};
  }
  const auto taken = found + blank_line.size() - had;
  const auto lines = std::string_view{head_}.substr(0, found + 2);
  to_.part_begin(parse_part_header(lines.substr(2)));
  head_.clear();
  state_ = state::data;
  // A part without a body has no line of its own for it (RFC 2046, 5.1.1: [CRLF *OCTET]): the CR LF
  // that ends its header may begin the delimiter.
  matched_ = borrowed_ = 2;
  return bytes.substr(taken);
}

} // namespace jobrunner::http
