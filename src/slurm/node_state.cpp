#include "slurm/node_state.hpp"

#include <algorithm>
#include <array>

namespace jobrunner::slurm {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t longest_reason = 200;

// What forbids it, so that a flag which a later Slurm adds does not look like a fault.
constexpr std::array forbidding{
    "DOWN"sv,          "UNKNOWN"sv,  "ERROR"sv,          "INVAL"sv,
    "FUTURE"sv,        "DRAIN"sv,    "DRAINED"sv,        "FAIL"sv,
    "FAILING"sv,       "MAINT"sv,    "NOT_RESPONDING"sv, "REBOOT"sv,
    "REBOOT_ISSUED"sv, "DRAINING"sv, "POWERING_DOWN"sv,  "POWERING_UP"sv};

/// From behind `key` to the next blank, or to what ends the text if that is given.
std::string_view after(std::string_view line, std::string_view key, std::string_view end = " ") {
  const auto at = line.find(key);
  if (at == std::string_view::npos)
    return {};
  line.remove_prefix(at + key.size());
  return line.substr(0, line.find(end));
}

std::string in_words(std::string_view line, std::string_view state) {
  auto text = std::string{after(line, "NodeName=")} + " is " + std::string{state};
  // In front of who said it, and when: "Reason=Not responding [slurm@2026-11-25T10:00:00]".
  const auto reason = after(line, " Reason=", " [").substr(0, longest_reason);
  if (!reason.empty())
    text += " (" + std::string{reason} + ")";
  return text;
}

} // namespace

bool takes_jobs(std::string_view state) {
  if (state.empty() || state.ends_with('*')) // it does not answer slurmctld
    return false;
  for (bool more = true; more;) {
    const auto plus = state.find('+');
    auto flag = state.substr(0, plus);
    flag = flag.substr(0, flag.find('*'));
    if (std::ranges::find(forbidding, flag) != forbidding.end())
      return false;
    more = plus != std::string_view::npos;
    state.remove_prefix(more ? plus + 1 : state.size());
  }
  return true;
}

std::string trouble_of_nodes(std::string_view nodes) {
  std::string trouble;
  while (!nodes.empty()) {
    const auto line = nodes.substr(0, nodes.find('\n'));
    nodes.remove_prefix(std::min(nodes.size(), line.size() + 1));
    if (!line.starts_with("NodeName="))
      continue;
    const auto state = after(line, " State=");
    if (takes_jobs(state))
      return {};
    if (trouble.empty())
      trouble = in_words(line, state);
  }
  return trouble.empty() ? "it has no node" : trouble;
}

} // namespace jobrunner::slurm
