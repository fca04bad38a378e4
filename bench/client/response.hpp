// Finds the end of a response in the bytes of a connection, and no more: a client that measures
// must cost little.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

class response {
public:
  /// Takes more bytes; whether the response is complete.
  bool take(std::string_view bytes);

  /// Whether the end of the connection completes it: neither length nor chunks were promised.
  bool ends_with_connection() const { return headed_ && !chunked_ && !measured_; }

  int status() const { return status_; }
  bool closes() const { return closes_; } // the server will close the connection
  bool begun() const { return headed_ || !head_.empty(); }
  void clear() { *this = response{}; }

private:
  void read_head();
  bool take_chunks(std::string_view bytes);

  std::string head_;
  bool headed_ = false, chunked_ = false, measured_ = false, closes_ = false;
  int status_ = 0;
  std::uint64_t left_ = 0; // of the body, or of the chunk
  std::string line_;       // of a chunk's size, or of a trailer
  enum class part { size, data, after_data, trailer } part_ = part::size;
};

} // namespace bench
