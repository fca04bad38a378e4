#include "response.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace bench {

bool response::take(std::string_view bytes) {
  if (!headed_) {
    const auto before = head_.size();
    head_ += bytes;
    const auto end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos)
      return false;
    bytes.remove_prefix(end + 4 - before);
    head_.resize(end + 2);
    headed_ = true;
    read_head();
    if (status_ / 100 == 1) { // an interim answer
      const std::string rest{bytes};
      clear();
      return take(rest);
    }
  }
  if (chunked_)
    return take_chunks(bytes);
  left_ -= std::min<std::uint64_t>(left_, bytes.size());
  return measured_ && left_ == 0;
}

void response::read_head() {
  status_ = head_.size() > 12 ? std::atoi(head_.c_str() + 9) : 0;
  std::transform(head_.begin(), head_.end(), head_.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  closes_ = head_.find("\r\nconnection: close") != std::string::npos;
  chunked_ = head_.find("\r\ntransfer-encoding: chunked") != std::string::npos;
  constexpr std::string_view length = "\r\ncontent-length:";
  if (const auto at = head_.find(length); at != std::string::npos && !chunked_) {
    measured_ = true;
    left_ = std::strtoull(head_.c_str() + at + length.size(), nullptr, 10);
  }
  if (status_ == 204 || status_ == 304) {
    measured_ = true;
    left_ = 0;
  }
}

bool response::take_chunks(std::string_view bytes) {
  while (!bytes.empty()) {
    if (part_ == part::data) {
      const auto now = std::min<std::uint64_t>(left_, bytes.size());
      bytes.remove_prefix(now);
      left_ -= now;
      if (left_ == 0)
        part_ = part::after_data;
      continue;
    }
    const auto end = bytes.find('\n');
    line_ += bytes.substr(0, end);
    if (end == std::string_view::npos)
      return false;
    bytes.remove_prefix(end + 1);
    if (part_ == part::after_data) {
      part_ = part::size;
    } else if (part_ == part::size) {
      left_ = std::strtoull(line_.c_str(), nullptr, 16);
      part_ = left_ == 0 ? part::trailer : part::data;
    } else if (line_.empty() || line_ == "\r") {
      return true;
    }
    line_.clear();
  }
  return false;
}

} // namespace bench
