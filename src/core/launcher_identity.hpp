// How the launcher's process sheds the server it was forked from: its descriptors, its
// environment, its user. Internal to launcher_process.cpp.
#pragma once

#include "core/launcher_process.hpp"

namespace jobrunner::launching {

/// Closes every descriptor but `socket`, with /dev/null as 0, 1 and 2. The socket's new number.
int keep_only(int socket);

/// Forgets the environment, gives up the terminal and, as root, becomes `who` for good. From then
/// on no process of that user can look into this one (not dumpable), which still holds pages of
/// the server's memory. `error` is 0 if all went well.
greeting become(const identity& who);

} // namespace jobrunner::launching
