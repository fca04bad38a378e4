#include "slurm/state.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace jobrunner::slurm {

namespace {

using pair = std::pair<std::string_view, std::string_view>;

constexpr std::array short_states{
    pair{"BF", "BOOT_FAIL"},     pair{"CA", "CANCELLED"},    pair{"CD", "COMPLETED"},
    pair{"CF", "CONFIGURING"},   pair{"CG", "COMPLETING"},   pair{"DL", "DEADLINE"},
    pair{"F", "FAILED"},         pair{"NF", "NODE_FAIL"},    pair{"OOM", "OUT_OF_MEMORY"},
    pair{"PD", "PENDING"},       pair{"PR", "PREEMPTED"},    pair{"R", "RUNNING"},
    pair{"RD", "RESV_DEL_HOLD"}, pair{"RF", "REQUEUE_FED"},  pair{"RH", "REQUEUE_HOLD"},
    pair{"RQ", "REQUEUED"},      pair{"RS", "RESIZING"},     pair{"RV", "REVOKED"},
    pair{"S", "SUSPENDED"},      pair{"SE", "SPECIAL_EXIT"}, pair{"SI", "SIGNALING"},
    pair{"SO", "STAGE_OUT"},     pair{"ST", "STOPPED"},      pair{"TO", "TIMEOUT"}};

// PREEMPTED is final because jobs are submitted with --no-requeue.
constexpr std::array<std::string_view, 10> final_states{
    "BOOT_FAIL", "CANCELLED",     "COMPLETED", "DEADLINE", "FAILED",
    "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",  "TIMEOUT"};

// Slurm's reason codes that a person meets, from squeue(1), "JOB REASON CODES".
constexpr std::array waiting{
    pair{"Resources", "waiting for free resources"},
    pair{"Priority", "waiting behind other jobs"},
    pair{"Dependency", "waiting for another job"},
    pair{"DependencyNeverSatisfied", "the job it waits for has failed: it will never start"},
    pair{"BeginTime", "its start time has not come"},
    pair{"JobHeldUser", "held by a user"},
    pair{"JobHeldAdmin", "held by an administrator"},
    pair{"PartitionDown", "the partition is down"},
    pair{"PartitionInactive", "the partition is inactive"},
    pair{"PartitionTimeLimit", "it asks for more time than the partition allows"},
    pair{"PartitionNodeLimit", "it asks for more nodes than the partition has"},
    pair{"BadConstraints", "no node can ever give what it asks for"},
    pair{"ReqNodeNotAvail", "the node it needs is not available"},
    pair{"NodeDown", "the node is down"},
    pair{"Licenses", "waiting for a licence"},
    pair{"Reservation", "waiting for its reservation"},
    pair{"launch failed requeued held", "its start failed; held by Slurm"}};

template <std::size_t N>
std::string_view find(const std::array<pair, N>& table, std::string_view key) {
  const auto found = std::ranges::find(table, key, &pair::first);
  return found == table.end() ? std::string_view{} : found->second;
}

std::string ending(int exit_code, int signal) {
  if (signal > 0)
    return "ended by signal " + std::to_string(signal);
  // A shell, and our wrapper, report the death of their child by a signal so.
  if (exit_code > 128 && exit_code <= 128 + 64)
    return "ended by signal " + std::to_string(exit_code - 128);
  if (exit_code == 127)
    return "the command could not be started (exit code 127); its log says why";
  return "the command ended with exit code " + std::to_string(exit_code);
}

std::string why_failed(std::string_view reason, int exit_code, int signal) {
  // Slurm's own way of saying that it could not set the job up, its log file for instance.
  constexpr int no_setup = 53;
  if (reason == "JobLaunchFailure" && (signal == no_setup || (signal == 0 && exit_code == 0)))
    return "Slurm could not start it: its log file or folder cannot be opened by the job's user";
  if (reason == "BadConstraints")
    return std::string{find(waiting, reason)};
  if (reason == "RaisedSignal" || reason == "NonZeroExitCode" || reason == "JobLaunchFailure" ||
      exit_code != 0 || signal != 0)
    return ending(exit_code, signal);
  return reason.empty() ? "failed; Slurm gives no reason"
                        : "failed; Slurm's reason: " + std::string{reason};
}

} // namespace

std::string long_state(std::string_view text) {
  std::string word;
  for (const char c : text.substr(0, text.find_first_of(" +")))
    if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')
      word += c;
  const auto known = find(short_states, word);
  return known.empty() ? word : std::string{known};
}

bool is_final(std::string_view state) {
  return std::ranges::find(final_states, state) != final_states.end();
}

std::string explain(std::string_view state, std::string_view reason, int exit_code, int signal) {
  if (state == "FAILED")
    return why_failed(reason, exit_code, signal);
  if (state == "TIMEOUT" || state == "DEADLINE")
    return state == "TIMEOUT" ? "it reached its time limit" : "it could not end by its deadline";
  if (state == "OUT_OF_MEMORY")
    return "it used more memory than it had asked for";
  if (state == "NODE_FAIL" || state == "BOOT_FAIL")
    return "the node it ran on failed";
  if (state == "PREEMPTED")
    return "ended in favour of another job";
  if (state == "CANCELLED")
    return "cancelled";
  if (is_final(state) || reason.empty() || reason == "None")
    return {};
  // "ReqNodeNotAvail, UnavailableNodes:n1": the code stands before the comma.
  const auto words = find(waiting, reason.substr(0, reason.find(',')));
  return words.empty() ? "Slurm's reason: " + std::string{reason} : std::string{words};
}

} // namespace jobrunner::slurm
