// Slurm's text output into reports. Pure; tested on captured real outputs.
#pragma once

#include "slurm/client.hpp"

#include <string_view>

namespace jobrunner::slurm {

/// The -o format of squeue that parse_queue reads. No field but the name, which comes last, is a
/// user's text.
extern const char* const queue_format;

/// Lines of squeue. A line that does not have exactly this shape is left out. An id that occurs
/// twice is left out altogether: a newline in some job's name can forge a line, but only beside
/// the true one.
std::vector<report> parse_queue(std::string_view text);

/// Lines of `sacct -c -P -n -o JobID,JobName,State,ExitCode,Start,End,NodeList` or whatever
/// columns serve; steps ("7.batch") and array forms are left out.
std::vector<report> parse_history(std::string_view text);

/// `scontrol show node -o` and `scontrol show partition -o` of a single-node cluster.
capacity parse_capacity(std::string_view nodes, std::string_view partitions);

} // namespace jobrunner::slurm
