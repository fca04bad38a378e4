#include "slurm/node_state.hpp"

#include <algorithm>
#include <array>

namespace jobrunner::slurm {

namespace {

using namespace std::string_view_literals;

// What forbids it, so that a flag which a later Slurm adds does not look like a fault.
constexpr std::array forbidding{
    "DOWN"sv,          "UNKNOWN"sv,  "ERROR"sv,          "INVAL"sv,
    "FUTURE"sv,        "DRAIN"sv,    "DRAINED"sv,        "FAIL"sv,
    "FAILING"sv,       "MAINT"sv,    "NOT_RESPONDING"sv, "REBOOT"sv,
    "REBOOT_ISSUED"sv, "DRAINING"sv, "POWERING_DOWN"sv,  "POWERING_UP"sv};

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

} // namespace jobrunner::slurm
