// A time limit as people write it for Slurm, into seconds and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jobrunner {

/// Seconds of a limit in one of the forms of sbatch(1), --time: "minutes", "minutes:seconds",
/// "hours:minutes:seconds", "days-hours", "days-hours:minutes", "days-hours:minutes:seconds".
/// As for sbatch a part may exceed what a clock shows: "90:00" is an hour and a half.
/// Throws failure{invalid} for anything else, for 0 and the words for "no limit" (a job needs
/// one), and for more than 24855 days, beyond which Slurm's 32-bit seconds overflow.
std::int64_t parse_time_limit(std::string_view text);

/// The reverse, in a form that sbatch takes: "HH:MM:SS", from one day on "D-HH:MM:SS".
/// `seconds` is not negative.
std::string to_time_limit(std::int64_t seconds);

} // namespace jobrunner
