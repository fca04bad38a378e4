#include "archive/gunzip.hpp"

#include "core/error.hpp"

#include <new>
#include <string>

namespace jobrunner::archive {
namespace {

constexpr int gzip_only = 16 + MAX_WBITS; // zlib.h, inflateInit2()

[[noreturn]] void broken(const std::string& why) {
  throw failure{errc::unprocessable, "The archive is cut off or broken: " + why + "."};
}

} // namespace

gunzip::gunzip(input& from, budget& spent) : from_(from), spent_(spent) {
  constexpr std::size_t piece = 256U << 10U;
  out_.resize(piece);
  if (inflateInit2(&stream_, gzip_only) != Z_OK)
    throw std::bad_alloc{};
}

gunzip::~gunzip() {
  inflateEnd(&stream_);
}

bool gunzip::fill() {
  if (stream_.avail_in > 0)
    return true;
  const auto bytes = from_.next();
  // zlib's interface is older than const.
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
  stream_.avail_in = static_cast<uInt>(bytes.size());
  return !bytes.empty();
}

bool gunzip::next_member() {
  constexpr Bytef first_of_magic = 0x1f;
  return fill() && *stream_.next_in == first_of_magic;
}

void gunzip::inflate_some() {
  if (!fill())
    broken("the gzip stream ends too early");
  const int result = inflate(&stream_, Z_NO_FLUSH);
  if (result == Z_STREAM_END) {
    within_ = next_member();
    if (within_ && inflateReset(&stream_) != Z_OK)
      throw std::bad_alloc{};
  } else if (result == Z_MEM_ERROR) {
    throw std::bad_alloc{};
  } else if (result != Z_OK && result != Z_BUF_ERROR) {
    broken(std::string{"gzip says: "} + (stream_.msg != nullptr ? stream_.msg : "bad data"));
  }
}

std::span<const std::byte> gunzip::next() {
  stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
  stream_.avail_out = static_cast<uInt>(out_.size());
  // What has been unpacked goes on before more is waited for.
  while (within_ && stream_.avail_out == out_.size())
    inflate_some();
  const auto size = out_.size() - stream_.avail_out;
  spent_.unpacked(size);
  return {out_.data(), size};
}

} // namespace jobrunner::archive
