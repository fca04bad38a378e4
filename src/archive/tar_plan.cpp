#include "archive/tar_plan.hpp"

#include "core/sha256.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <string_view>

namespace jobrunner::archive {

namespace {

constexpr std::uint64_t block = 512;
constexpr std::size_t longest_name = 100;
constexpr std::uint64_t largest_size = 077777777777; // eleven octal digits: also for times

std::uint64_t rounded_up(std::uint64_t bytes) {
  return (bytes + block - 1) / block * block;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
}

/// "30 mtime=1350244992.023960108\n": the length counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const auto rest = key.size() + value.size() + 3; // blank, equals sign, newline
  auto size = rest + 1;
  while (std::to_string(size).size() + rest != size)
    size = std::to_string(size).size() + rest;
  return std::to_string(size) + " " + std::string{key} + "=" + std::string{value} + "\n";
}

/// What ustar cannot say of a file; empty: nothing.
std::string pax_records(const found_file& f) {
  std::string records;
  if (f.path.size() > longest_name || !is_ascii(f.path))
    records += pax_record("path", f.path);
  if (f.stamp.size > largest_size)
    records += pax_record("size", std::to_string(f.stamp.size));
  return records;
}

std::uint64_t head_size(const found_file& f) {
  const auto records = pax_records(f).size();
  return records == 0 ? block : block + rounded_up(records) + block;
}

std::int64_t seconds(const found_file& f) {
  const auto whole =
      std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds{f.stamp.changed});
  return std::clamp<std::int64_t>(whole.count(), 0, static_cast<std::int64_t>(largest_size));
}

/// As much of a path as the field takes, for programs that do not know pax.
std::string short_name(std::string_view path) {
  std::string name{path.substr(0, longest_name)};
  if (!is_ascii(path))
    std::ranges::replace_if(
        name, [](unsigned char c) { return c >= 0x80; }, '_');
  return name;
}

std::string ustar_block(const std::string& name, char type, std::uint64_t size, std::int64_t time) {
  std::string header(block, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    std::ranges::copy(text, header.begin() + static_cast<std::ptrdiff_t>(at));
  };
  const auto put_octal = [&](std::size_t at, int digits, std::uint64_t value) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%0*llo", digits,
                  static_cast<unsigned long long>(value));
    put(at, text.data());
  };
  put(0, name);
  put_octal(100, 7, 0644); // mode
  put_octal(108, 7, 0);    // uid
  put_octal(116, 7, 0);    // gid
  put_octal(124, 11, size);
  put_octal(136, 11, static_cast<std::uint64_t>(time));
  put(148, "        "); // the checksum, counted as blanks
  header[156] = type;
  put(257, std::string_view{"ustar\0"
                            "00",
                            8});
  put_octal(329, 7, 0); // devmajor
  put_octal(337, 7, 0); // devminor
  const auto sum = std::accumulate(header.begin(), header.end(), 0U, [](unsigned all, char c) {
    return all + static_cast<unsigned char>(c);
  });
  put_octal(148, 6, sum);
  header[154] = '\0';
  return header;
}

} // namespace

tar_plan::tar_plan(std::vector<found_file> files) : files_(std::move(files)) {
  sha256 names;
  starts_.reserve(files_.size());
  for (const auto& f : files_) {
    starts_.push_back(members_end_);
    members_end_ += head_size(f) + rounded_up(f.stamp.size);
    changed_ = std::max(changed_, std::chrono::sys_seconds{std::chrono::seconds{seconds(f)}});
    const auto line = f.path + '\0' + to_text(f.stamp) + '\n';
    names.update(line.data(), line.size());
  }
  etag_ = "\"tar1-" + names.finish().substr(0, 32) + "\""; // 1: of the form of the archive
}

tar_plan::place tar_plan::at(std::uint64_t offset) const {
  if (offset >= members_end_)
    return {place::kind::zeros, 0, 0, size() - offset};
  const auto next = std::ranges::upper_bound(starts_, offset);
  const auto member = static_cast<std::size_t>(next - starts_.begin()) - 1;
  const auto& f = files_[member];
  const auto within = offset - starts_[member];
  const auto head = head_size(f);
  if (within < head)
    return {place::kind::head, member, within, head - within};
  if (within < head + f.stamp.size)
    return {place::kind::data, member, within - head, head + f.stamp.size - within};
  return {place::kind::zeros, 0, 0, head + rounded_up(f.stamp.size) - within};
}

std::string tar_plan::head(std::size_t member) const {
  const auto& f = files_.at(member);
  const auto time = seconds(f);
  auto records = pax_records(f);
  std::string all;
  if (!records.empty()) {
    all = ustar_block("PaxHeader", 'x', records.size(), time);
    records.resize(rounded_up(records.size()), '\0');
    all += records;
  }
  const auto size = f.stamp.size > largest_size ? 0 : f.stamp.size; // as the pax header says
  return all + ustar_block(short_name(f.path), '0', size, time);
}

} // namespace jobrunner::archive
