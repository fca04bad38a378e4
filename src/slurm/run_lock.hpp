// Whether a job's processes live, told by a lock that ends with the last of them, however they end:
// the wrapper takes it on <job_dir>/run/lock, and its command inherits the descriptor.
//
// A lock of the open file description (fcntl(2), F_OFD_SETLK): inherited as flock's are, and asking
// who holds it (F_OFD_GETLK) takes nothing, so that nobody who asks is ever in the way of a start.
#pragma once

#include "core/unique_fd.hpp"

#include <filesystem>

namespace jobrunner::slurm {

/// The lock, which the caller's children will hold too; no descriptor if somebody has it.
/// Throws failure.
unique_fd try_lock(const std::filesystem::path& job_dir);

/// Whether a process of the job lives. False too where the lock cannot be read.
bool is_locked(const std::filesystem::path& job_dir);

} // namespace jobrunner::slurm
