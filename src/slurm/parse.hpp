// Slurm's text output into reports. Pure; tested on captured real outputs.
// Times are seconds since 1970: run the commands with SLURM_TIME_FORMAT=%s.
#pragma once

#include "slurm/report.hpp"

#include <string_view>
#include <vector>

namespace jobrunner::slurm {

/// The -O format of squeue that parse_queue reads, the name last. No field but the name is a user's
/// text, and no name can hold a line of this shape: squeue cuts it to 40 characters, one more than
/// ours have, while a reason is 80 wide. The others are as long as they are (0): filling them up
/// would be a fifth of squeue's time.
extern const char* const queue_format;

/// The -o format of sacct -P -n that parse_history reads; the name last.
extern const char* const history_format;

/// Lines of squeue. A line that does not have exactly this shape is left out (the rest of a name
/// with a newline in it). An id that occurs twice is left out altogether.
std::vector<report> parse_queue(std::string_view text);

/// Lines of sacct; steps ("7.batch") and array forms are left out. Lines that say different things
/// about the same id and name are left out: one of them may be forged.
std::vector<report> parse_history(std::string_view text);

/// The value of `key` in `scontrol show config`, empty if it is not there or "(null)".
std::string parse_setting(std::string_view config, std::string_view key);

} // namespace jobrunner::slurm
