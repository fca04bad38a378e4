// What sbatch's exit says about the job: taken, refused, not reached, or nobody knows. Pure.
#pragma once

#include "core/launcher.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace jobrunner::slurm {

/// sbatch did not say whether it took the job: the call timed out or was cut. The job may run.
class unknown_outcome : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Slurm's id of the new job. Throws as client::submit does.
std::int64_t read_answer(const finished& sbatch);

/// When the job would start, by the answer of sbatch --test-only; nothing if it does not say.
/// Throws failure: invalid (Slurm would refuse it), unavailable.
std::optional<timestamp> read_forecast(const finished& sbatch);

/// What a command of Slurm printed on stderr, as one line for people: without the names of
/// programs and functions that stand before each message.
std::string in_words(std::string_view stderr_text);

} // namespace jobrunner::slurm
