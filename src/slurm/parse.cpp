#include "slurm/parse.hpp"

#include "core/duration.hpp"
#include "core/error.hpp"
#include "slurm/lines.hpp"
#include "slurm/state.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <set>

namespace jobrunner::slurm {

const char* const queue_format =
    "JobID:0|,State:0|,exit_code:0|,Reason:80|,StartTime:0|,EndTime:0|,NodeList:0|,Name:40";
const char* const history_format = "JobID,State,ExitCode,Start,End,NodeList,JobName";

namespace {

constexpr std::size_t reason = 3, reason_width = 80; // in queue_format

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end && !text.empty() ? std::optional{value} : std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const auto last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// "N/A", "Unknown" and "None" are no numbers, and no times.
std::optional<timestamp> time_of(std::string_view seconds) {
  const auto value = number<std::int64_t>(seconds);
  if (!value || *value <= 0 || *value > 253'402'300'799) // the year 9999
    return std::nullopt;
  return timestamp{std::chrono::seconds{*value}};
}

/// Fills in what holds only for a job that has run, from how it ended.
void set_ending(report& r, std::string_view start, std::string_view end, int exit_code,
                int signal) {
  const bool over = is_final(r.state);
  const bool ran = !r.node.empty();
  if (r.state != "PENDING" && ran) // a pending job's start is Slurm's guess
    r.started_at = time_of(start);
  if (over) // before that it is a guess too
    r.ended_at = time_of(end);
  if (over && ran && signal != 0)
    r.signal = signal;
  // Slurm says 0 too of jobs that it stopped (TIMEOUT, CANCELLED): that is no exit code.
  if (over && ran && (exit_code != 0 || r.state == "COMPLETED"))
    r.exit_code = exit_code;
}

std::optional<report> queue_line(std::string_view line) {
  std::array<std::string_view, 7> field;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const auto end = i == reason ? reason_width : line.find('|');
    if (end >= line.size() || line[end] != '|')
      return std::nullopt;
    field.at(i) = trimmed(line.substr(0, end));
    line.remove_prefix(end + 1);
  }
  const auto id = number<std::int64_t>(field[0]);
  const auto status = number<std::uint32_t>(field[2]); // as wait(2) gives it
  if (!id || *id <= 0 || !status || field[1].empty())
    return std::nullopt;
  report r;
  r.id = *id;
  r.state = long_state(field[1]);
  r.reason = field[reason] == "None" ? std::string{} : std::string{field[reason]};
  r.node = field[6];
  r.name = trimmed(line);
  set_ending(r, field[4], field[5], static_cast<int>(*status >> 8U & 0xffU),
             static_cast<int>(*status & 0x7fU));
  return r;
}

std::optional<report> history_line(std::string_view line) {
  std::array<std::string_view, 6> field;
  for (auto& f : field) {
    const auto end = line.find('|');
    if (end == std::string_view::npos)
      return std::nullopt;
    f = line.substr(0, end);
    line.remove_prefix(end + 1);
  }
  const auto id = number<std::int64_t>(field[0]);
  const auto colon = std::min(field[2].find(':'), field[2].size());
  const auto exit_code = number<int>(field[2].substr(0, colon));
  const auto signal = number<int>(field[2].substr(std::min(colon + 1, field[2].size())));
  if (!id || *id <= 0 || !exit_code || !signal || field[1].empty())
    return std::nullopt;
  report r;
  r.id = *id;
  r.name = line;
  r.state = long_state(field[1]);
  if (field[5] != "(null)" && field[5] != "None assigned")
    r.node = field[5];
  set_ending(r, field[3], field[4], *exit_code, *signal);
  return r;
}

} // namespace

std::vector<report> parse_queue(std::string_view text) {
  std::vector<report> all;
  std::set<std::int64_t> seen, twice;
  each_line(text, [&](std::string_view line) {
    if (auto r = queue_line(line)) {
      if (!seen.insert(r->id).second)
        twice.insert(r->id);
      all.push_back(std::move(*r));
    }
  });
  std::erase_if(all, [&](const report& r) { return twice.contains(r.id); });
  return all;
}

std::vector<report> parse_history(std::string_view text) {
  std::map<std::pair<std::int64_t, std::string>, std::set<std::string_view>> lines;
  each_line(text, [&](std::string_view line) {
    if (const auto r = history_line(line))
      lines[{r->id, r->name}].insert(line);
  });
  std::vector<report> all;
  for (const auto& [key, same] : lines)
    if (same.size() == 1)
      all.push_back(*history_line(*same.begin()));
  return all;
}

std::string parse_setting(std::string_view config, std::string_view key) {
  std::string value;
  each_line(config, [&](std::string_view line) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || trimmed(line.substr(0, equals)) != key)
      return;
    auto found = trimmed(line.substr(equals + 1));
    found.remove_prefix(std::min(found.find_first_not_of(' '), found.size()));
    value = found == "(null)" ? std::string_view{} : found;
  });
  return value;
}

} // namespace jobrunner::slurm
