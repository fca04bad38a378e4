// What a job becomes after a look at Slurm. Pure but for the exit record that it reads.
#pragma once

#include "core/types.hpp"
#include "slurm/job_dir.hpp"
#include "slurm/report.hpp"

#include <filesystem>
#include <optional>

namespace jobrunner {

/// Whether it waits just as it did: of a long queue nearly all do, and cost no copy and no file.
bool waits_on(const job& was, const slurm::report& now);

/// The job as Slurm now shows it, with the next sequence number; nothing if nothing has changed.
std::optional<job> progress(const job& was, const slurm::report& now,
                            const std::filesystem::path& job_dir);

/// Whether Slurm speaks of the end of a job that has never run, by its own result: no wrapper has
/// left a mark. False where there is no place for marks, as of jobs of the FastAPI program.
bool ended_unstarted(const slurm::report& now, const std::filesystem::path& job_dir);

/// The job that Slurm has ended so again, whatever it calls that.
job never_started(const job& was, const slurm::report& now);

/// The job as its wrapper recorded its end, when Slurm no longer knows it, or that it has ended.
job ended_by_record(const job& was, const slurm::exit_record&);

/// The job when Slurm no longer knows it, but its wrapper still runs; nothing if that is known.
std::optional<job> runs_unknown(const job& was, std::int64_t attempt);

/// The job when neither Slurm nor an exit record knows what became of it, after it had started.
job lost(const job& was, const std::string& why);

/// A cancelled job that Slurm lost before it could have started.
job cancelled_unstarted(const job& was);

} // namespace jobrunner
