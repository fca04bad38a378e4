// What must be on the disk before anybody is told so.
#pragma once

#include <filesystem>
#include <string>

namespace jobrunner {

/// fsync(2). Throws failure{disk_full} where there is no room. After any other error nobody knows
/// what is on the disk, and a second fsync would report success for pages that the kernel has given
/// up: the process ends, and a new one looks at what is there. `what` is for the log.
void sync(int fd, const std::string& what);

/// The same for the names in a folder.
void sync_folder(const std::filesystem::path& folder);

/// Ends the process after such an error; its supervisor starts it again.
[[noreturn]] void end_after_lost_write(const std::string& what, const std::string& why);

} // namespace jobrunner
