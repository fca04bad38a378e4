// The job's command as a child of the wrapper: started, sent on what signals come, waited for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace jobrunner::slurm {

struct ending {
  int exit_code = 0; // 128 + signal where a signal ended it, as shells have it
  int signal = 0;
};

/// Of two /proc/PID/cgroup: whether a step daemon (the parent) tracks the job by a cgroup that it
/// made for it (proctrack/cgroup). It then sends SIGTERM and SIGCONT to its own child alone, and
/// only SIGKILL to all.
bool tracked_by_cgroup(const std::string& own, const std::string& parents);

/// Blocks the signals that run_command passes on; call it first of all, so that none ends the
/// wrapper before it has written down what became of the job.
void hold_signals();

/// A moment's pause; false if a signal says meanwhile that the job is to end. After hold_signals().
bool wait_for_turn();

/// Runs `argv` (searched in the PATH of `environment`) in `folder` until it ends. What keeps it
/// from starting is said on stderr, in a sentence, and its exit code is then 127. Where the wrapper
/// is killed, the command is too: nobody could say how it ended.
ending run_command(const std::vector<std::string>& argv,
                   const std::vector<std::string>& environment,
                   const std::filesystem::path& folder);

/// Kills what the command has left running, detached or not, after 0.2 s. How many processes it
/// were. Gives up after 5 s.
int end_leftovers();

} // namespace jobrunner::slurm
