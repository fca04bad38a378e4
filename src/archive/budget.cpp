#include "archive/budget.hpp"

#include "archive/refusal.hpp"

namespace jobrunner::archive {
namespace {

constexpr std::uint64_t mib = 1U << 20U;
constexpr std::uint64_t free_of_ratio = 256 * mib; // small bombs do no harm
constexpr std::uint64_t most_names = 64 * mib;     // memory for the folders' names

} // namespace

void budget::entry() {
  if (++entries_ > most_.max_files)
    refuse("it holds more than " + std::to_string(most_.max_files) + " files and folders.");
}

void budget::path(std::uint64_t length) const {
  if (length > most_.max_path)
    refuse("it holds a path longer than " + std::to_string(most_.max_path) + " bytes.");
}

void budget::folder_name(std::uint64_t length) {
  names_ += length;
  if (names_ > most_names)
    refuse("the names of its folders are longer than 64 MiB together.");
}

void budget::expect(std::uint64_t size) const {
  if (size > most_.max_bytes || bytes_ > most_.max_bytes - size)
    refuse("unpacked it is larger than " + std::to_string(most_.max_bytes) + " bytes.");
}

void budget::grow(std::uint64_t bytes) {
  expect(bytes);
  bytes_ += bytes;
  check_ratio(bytes_);
}

void budget::unpacked(std::uint64_t bytes) {
  unpacked_ += bytes;
  check_ratio(unpacked_);
}

void budget::check_ratio(std::uint64_t swollen) const {
  if (swollen > free_of_ratio && (swollen - free_of_ratio) / most_.max_ratio > consumed_)
    refuse("it swells to more than " + std::to_string(most_.max_ratio) +
           " times its size when unpacked.");
}

} // namespace jobrunner::archive
